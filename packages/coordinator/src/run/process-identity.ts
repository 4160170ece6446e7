/** Which process this is, so that another one can tell later whether it is still there. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';

export const processIdentitySchema = z.object({
  pid: z.int().min(1),
  host: z.string(),
  /** Processes are counted anew after each boot, and apart in each container. */
  boot: z.string().optional(),
  namespace: z.string().optional(),
  /** When the process began, as its system says it: another one of the same number began at another time. */
  started: z.string().optional(),
});

export type ProcessIdentity = z.output<typeof processIdentitySchema>;

export function identifyProcess(): ProcessIdentity {
  return { pid: process.pid, ...placeOfProcess(), started: startOf(process.pid) };
}

/** Whether a process is there; `unknown` where it is one of another machine or container, or of another boot. */
export function judgeProcess({ pid, started, ...place }: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  const here = placeOfProcess();
  if (place.host !== here.host || place.boot !== here.boot || place.namespace !== here.namespace) return 'unknown';
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: somebody else's process
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'dead';
  }
  const now = startOf(pid);
  return started !== undefined && now !== undefined && now !== started ? 'dead' : 'alive';
}

function placeOfProcess(): Pick<ProcessIdentity, 'host' | 'boot' | 'namespace'> {
  return {
    host: hostname(),
    boot: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    namespace: attempt(() => readlinkSync('/proc/self/ns/pid')),
  };
}

/** Undefined where the system does not say (Windows), or there is no such process. */
function startOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    // the name may hold spaces and brackets; behind it come the state, and as the 20th the start (proc(5))
    const fields = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' '));
    return fields?.[0] === 'Z' ? 'ended' : fields?.[19];
  }
  if (process.platform === 'win32') return undefined;
  const argv = ['-o', 'lstart=', '-p', String(pid)];
  return attempt(() => execFileSync('ps', argv, { encoding: 'utf8', stdio: 'pipe' }).trim() || undefined);
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
