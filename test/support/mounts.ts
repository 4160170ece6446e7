/** Mounts for tests: in a user namespace, which needs no root and leaves nothing behind. */
import { spawnSync } from 'node:child_process';

/** Says why a line cannot mount anything here; undefined where it can. */
export const whyNoMounts: string | undefined =
  spawnSync('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' }).status === 0
    ? undefined
    : 'needs Linux with user namespaces, to mount';

/** The reason, behind the name of a test that is skipped. */
export const orWhyNot = whyNoMounts === undefined ? '' : ` (${whyNoMounts})`;

/** Runs a line of sh in which one may mount; what it mounts is seen by nobody else, and goes with it. */
export function runWithMounts(line: string, folder: string): { code: number | null; out: string; error: string } {
  const { status, stdout, stderr } = spawnSync('unshare', ['-Urm', 'sh', '-ec', line], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { code: status, out: stdout, error: stderr };
}
