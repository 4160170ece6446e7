/** How many cores this process may use. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type CpuQuota, type ReadText, readCpuQuota } from './cgroup-quota.js';

export interface UsableCores {
  /** At least 1: the smaller of the two below, a quota rounded up. The default number of workers. */
  readonly count: number;
  /** Cores that the scheduler may put this process on (affinity, cpusets). */
  readonly allowed: number;
  /** A container's share of their time, where it has a limit. */
  readonly quota?: CpuQuota;
}

/**
 * Asks the system itself: os.availableParallelism does not see quotas in Node 20, and rounds them down or leaves them out in
 * later versions.
 */
export function findUsableCores(read: ReadText = readText, otherwise: number = availableParallelism()): UsableCores {
  const allowed = countAllowed(read('/proc/self/status') ?? '') ?? otherwise;
  const quota = readCpuQuota(read);
  const count = Math.max(1, Math.min(allowed, Math.ceil(quota?.cores ?? allowed)));
  return { count, allowed, ...(quota && { quota }) };
}

/** Of `Cpus_allowed_list: 0-3,8`, five. */
function countAllowed(status: string): number | undefined {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1];
  if (list === undefined) return undefined;
  return list.split(',').reduce((sum, range) => {
    const [first = NaN, last = first] = range.split('-').map(Number);
    return sum + last - first + 1;
  }, 0);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
