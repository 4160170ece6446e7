import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { findUsableCores } from './usable-cores.js';

const STATUS = 'Name:\tnode\nCpus_allowed:\tffff\nCpus_allowed_list:\t0-15\nMems_allowed_list:\t0\n';
const V2_MOUNT =
  '35 24 0:30 / /sys/fs/cgroup rw,nosuid,nodev shared:9 - cgroup2 cgroup rw,nsdelegate,memory_recursiveprot\n';
const V1_MOUNTS = [
  '31 23 0:28 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755',
  '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct',
  '33 31 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset',
].join('\n');

const find = (files: Record<string, string>) =>
  findUsableCores((path) => ({ '/proc/self/status': STATUS, ...files })[path], 99);

/** Version 2 with these `cpu.max`, from the mount on down. */
const findV2 = (group: string, limits: Record<string, string>) =>
  find({
    '/proc/self/cgroup': `0::${group}\n`,
    '/proc/self/mountinfo': V2_MOUNT,
    ...Object.fromEntries(Object.entries(limits).map(([at, text]) => [`/sys/fs/cgroup${at}/cpu.max`, `${text}\n`])),
  });

describe('cases: peers 31: the default number of workers is what the process may really use:', () => {
  it.each([
    ['1.5 cores are two workers', '150000 100000', 1.5, 2],
    ['half a core is one', '50000 100000', 0.5, 1],
    ['three cores in another period', '30000 10000', 3, 3],
    ['more than there is', '6400000 100000', 64, 16],
  ])('version 2, %s', (_, text, cores, count) => {
    expect(findV2('/', { '': text })).toEqual({
      count,
      allowed: 16,
      quota: { cores, file: '/sys/fs/cgroup/cpu.max' },
    });
  });

  it('version 2, no limit', () => {
    expect(
      findV2('/user.slice/session-1.scope', {
        '/user.slice': 'max 100000',
        '/user.slice/session-1.scope': 'max 100000',
      }),
    ).toEqual({
      count: 16,
      allowed: 16,
    });
  });

  it.each([
    ['the outermost group has no cpu.max', '/', {}],
    ['the controller is not on', '/user.slice/session-1.scope', { '/user.slice': 'max 100000' }],
    ['the file is none of a quota', '/', { '': 'max' }],
  ])('version 2, absent: %s', (_, group, limits) => {
    expect(findV2(group, limits as Record<string, string>)).toEqual({ count: 16, allowed: 16 });
  });

  it('version 2, nested: the smallest of those around it counts', () => {
    const limits = { '/kube': '400000 100000', '/kube/pod': '250000 100000', '/kube/pod/c1': 'max 100000' };
    expect(findV2('/kube/pod/c1', limits)).toEqual({
      count: 3,
      allowed: 16,
      quota: { cores: 2.5, file: '/sys/fs/cgroup/kube/pod/cpu.max' },
    });
  });

  it.each(['/../../other', '/docker/4f5c'])(
    'a container that is told the path %s finds its own group at the mount',
    (group) => {
      expect(findV2(group, { '': '200000 100000' }).count).toBe(2);
    },
  );

  it('version 1, in a container whose mount begins at its own group', () => {
    const files = {
      '/proc/self/cgroup': '9:cpuset:/docker/4f5c\n4:cpu,cpuacct:/docker/4f5c\n1:name=systemd:/docker/4f5c\n',
      '/proc/self/mountinfo': V1_MOUNTS.replace('0:29 / ', '0:29 /docker/4f5c '),
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '150000\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    };
    expect(find(files)).toEqual({
      count: 2,
      allowed: 16,
      quota: { cores: 1.5, file: '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us' },
    });
  });

  it('version 1, without a limit, and nested in one that has', () => {
    const files = {
      '/proc/self/cgroup': '4:cpu,cpuacct:/job/task\n0::/\n',
      '/proc/self/mountinfo': `${V1_MOUNTS}\n36 31 0:40 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n`,
      '/sys/fs/cgroup/cpu,cpuacct/job/task/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu,cpuacct/job/task/cpu.cfs_period_us': '100000\n',
    };
    expect(find(files)).toEqual({ count: 16, allowed: 16 });
    const around = {
      '/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us': '700000\n',
      '/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us': '100000\n',
    };
    expect(find({ ...files, ...around }).count).toBe(7);
  });

  it('affinity counts where it is smaller, also of cores with gaps between them', () => {
    const status = STATUS.replace('0-15', '0,2-4,9');
    expect(find({ '/proc/self/status': status })).toEqual({ count: 5, allowed: 5 });
  });

  it('a system without such files is asked through Node', () => {
    expect(findUsableCores(() => undefined, 6)).toEqual({ count: 6, allowed: 6 });
    expect(findUsableCores(() => undefined).count).toBe(availableParallelism());
  });

  it('this machine has an answer', () => {
    const { count, allowed } = findUsableCores();
    expect(count).toBeGreaterThanOrEqual(1);
    expect(count).toBeLessThanOrEqual(allowed);
  });
});
