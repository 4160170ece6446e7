/** A real control group with half a core, where one can be made: version 1 or 2, as root. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const PROGRAM = path.join(ROOT, 'packages/cli/dist/bin.js');
const MOUNT = '/sys/fs/cgroup';
const NAME = `lockstep-test-${process.pid}`;

/** The group's folder, or why there is none. */
function makeGroup(): { folder: string } | { why: string } {
  const isSecond = existsSync(path.join(MOUNT, 'cgroup.controllers'));
  const parent = isSecond ? MOUNT : path.join(MOUNT, 'cpu');
  try {
    // what the machine gives its groups is left as it is
    if (isSecond && !readFileSync(path.join(parent, 'cgroup.subtree_control'), 'utf8').split(/\s/).includes('cpu'))
      return { why: `${parent} gives its groups no processor time` };
    const folder = path.join(parent, NAME);
    mkdirSync(folder);
    if (isSecond) writeFileSync(path.join(folder, 'cpu.max'), '50000 100000');
    else {
      writeFileSync(path.join(folder, 'cpu.cfs_period_us'), '100000');
      writeFileSync(path.join(folder, 'cpu.cfs_quota_us'), '50000');
    }
    return { folder };
  } catch (error) {
    return { why: `no control group can be made: ${(error as Error).message}` };
  }
}

const group = makeGroup();
const orWhyNot = 'why' in group ? ` (${group.why})` : '';

afterAll(() => {
  if ('folder' in group) rmdirSync(group.folder);
});

it.skipIf('why' in group)(
  `cases: peers 31: in a control group with half a core the default is one worker${orWhyNot}`,
  () => {
    const { folder } = group as { folder: string };
    const join = `echo $$ > "${path.join(folder, 'cgroup.procs')}" && exec "$0" "$@"`;
    const words = [process.execPath, PROGRAM, 'train', '--steps', '1', '--json', '--no-save', '--offline'];
    const events = execFileSync('sh', ['-c', join, ...words], { encoding: 'utf8' })
      .trim()
      .split('\n');
    expect(JSON.parse(events[0] ?? '')).toMatchObject({ event: 'start', workers: 1 });
  },
);
