/**
 * The share of the processors' time that a container has, from Linux' files of control groups: version 1 (a controller called
 * cpu), version 2, and both at once. Source: the kernel's cgroup-v2.rst ("cpu.max"), sched-bwc.rst ("cpu.cfs_quota_us") and
 * proc(5) for mountinfo.
 */
import { posix } from 'node:path';

/** Reads a text file; undefined where there is none. */
export type ReadText = (path: string) => string | undefined;

/** `cores` of processor time (1.5: three seconds in two), and the file that says so. */
export interface CpuQuota {
  readonly cores: number;
  readonly file: string;
}

interface Mount {
  /** The control group that is at `place`. */
  readonly root: string;
  readonly place: string;
}

/**
 * The smallest quota of this process's control group and of those around it, as far as they can be seen; undefined without one.
 * A container sees its own group at the mount's place, whatever path the kernel tells.
 */
export function readCpuQuota(read: ReadText): CpuQuota | undefined {
  const groups = (read('/proc/self/cgroup') ?? '').split('\n').map((line) => line.split(':'));
  const mounts = (read('/proc/self/mountinfo') ?? '').split('\n').map((line) => line.split(' '));
  const quotas = groups.flatMap(([, controllers, ...rest]) => {
    if (controllers === undefined) return [];
    const group = rest.join(':');
    if (controllers === '') return listQuotas(group, findMount(mounts, 'cgroup2'), readMax(read));
    if (!controllers.split(',').includes('cpu')) return [];
    return listQuotas(group, findMount(mounts, 'cgroup', 'cpu'), readPeriods(read));
  });
  return quotas.reduce<CpuQuota | undefined>(
    (least, one) => (least && least.cores <= one.cores ? least : one),
    undefined,
  );
}

/** From mountinfo: `id parent device root place options [more ...] - type source superoptions`. */
function findMount(mounts: readonly (readonly string[])[], type: string, option?: string): Mount | undefined {
  for (const fields of mounts) {
    const [, , , root, place] = fields;
    const [found, , options = ''] = fields.slice(fields.indexOf('-') + 1);
    if (root === undefined || place === undefined || found !== type) continue;
    if (option === undefined || options.split(',').includes(option)) return { root, place };
  }
  return undefined;
}

function listQuotas(
  group: string,
  mount: Mount | undefined,
  readAt: (folder: string) => CpuQuota | undefined,
): CpuQuota[] {
  if (mount === undefined) return [];
  const below = posix.relative(mount.root, group);
  const names = below === '' || below.startsWith('..') ? [] : below.split('/');
  const folders = [mount.place, ...names.map((_, i) => posix.join(mount.place, ...names.slice(0, i + 1)))];
  return folders.flatMap((folder) => readAt(folder) ?? []);
}

/** Version 2: `max 100000`, or microseconds of processor time and the microseconds in which they are given. */
const readMax = (read: ReadText) => (folder: string) => {
  const file = posix.join(folder, 'cpu.max');
  const [quota, period] = (read(file) ?? '').trim().split(/\s+/);
  return toQuota(file, quota, period);
};

/** Version 1: the same in two files, -1 for no limit. */
const readPeriods = (read: ReadText) => (folder: string) => {
  const file = posix.join(folder, 'cpu.cfs_quota_us');
  return toQuota(file, read(file), read(posix.join(folder, 'cpu.cfs_period_us')));
};

function toQuota(file: string, quota: string | undefined, period: string | undefined): CpuQuota | undefined {
  const cores = Number(quota) / Number(period);
  return Number.isFinite(cores) && cores > 0 ? { cores, file } : undefined;
}
