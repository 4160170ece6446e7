/** `lockstep launch` under a real Slurm: three nodes on this machine, whose names are no host names. */
import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { expandNodeList } from '../../packages/cli/dist/launch/node-list.js';
import { BIN, Fixture } from '../support/cluster-fixture.ts';
import { describeCluster, findMissing } from '../support/clusters-availability.ts';
import { SLURM_INSTALL, SLURM_PROGRAMS, SlurmCluster } from './slurm-cluster.ts';

const STEPS = 30;
const HELD_STEP = 20;
const EVERY = 8;
const fixture = new Fixture();
let slurm: SlurmCluster;
let expected = '';

afterAll(() => fixture.remove());

const launch = (flags: readonly string[] = []): string[] => {
  const run = ['--data', fixture.data, '--steps', String(STEPS), '--no-save', '--json', '--workers', '1'];
  return [process.execPath, BIN, 'launch', fixture.model, ...run, '--token-file', fixture.token, ...flags];
};

interface EndEvent {
  readonly parametersSha256: string;
}

const readHash = (output: string): string | undefined => {
  const line = output.split('\n').findLast((text) => text.startsWith('{"event":"end"'));
  return line && (JSON.parse(line) as EndEvent).parametersSha256;
};

const env = { LOCKSTEP_CACHE: fixture.folder };

// several processes that start at once on a machine that does other things too
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

describeCluster('Slurm', findMissing(SLURM_PROGRAMS, SLURM_INSTALL), () => {
  beforeAll(async () => {
    [slurm, expected] = await Promise.all([SlurmCluster.start(), fixture.train(STEPS).hash()]);
  });
  afterAll(() => slurm?.stop());

  it('srun: three tasks are one run, with the bits of one process', async () => {
    const output = await slurm.run('srun', ['-n', '3', ...launch()], env);
    expect(readHash(output)).toBe(expected);
    for (const rank of [1, 2]) expect(output).toContain(`"event":"node-joined","node":"rank-${rank}"`);
  });

  it('srun --dry-run: each task tells its rank, and the address behind the name of the first node', async () => {
    const output = await slurm.run('srun', ['-n', '3', '--label', ...launch(['--dry-run'])], env);
    for (const rank of [0, 1, 2]) expect(output).toContain(`${rank}: Launch: Slurm, rank ${rank} of 3`);
    expect(output).toMatch(/0: {3}(?:npx )?lockstep train .* --listen 127\.0\.0\.1:6\d{4} --wait-for 2/);
    expect(output).toMatch(/2: {3}(?:npx )?lockstep worker --connect ws:\/\/127\.0\.0\.1:6\d{4} .*--name rank-2/);
  });

  it('cases: peers 33: srun in a heterogeneous job is one run of all its components, or says that it is not', async () => {
    const words = launch(['--dry-run']).join(' ');
    const script = ['#!/bin/bash', '#SBATCH -n 1', '#SBATCH hetjob', '#SBATCH -n 2'];
    const steps = [`srun --label ${words} > plain.log`, `srun --het-group=0,1 --label ${words} > all.log`];
    writeFileSync(slurm.file('het.sh'), [...script, ...steps, ''].join('\n'));
    await slurm.run('sbatch', ['--wait', 'het.sh'], env);
    expect(slurm.read('plain.log')).toContain('Launch: Slurm, rank 0 of 1');
    expect(slurm.read('plain.log')).toContain('this step runs 1 of them. For all: srun --het-group=0,1');
    for (const rank of [0, 1, 2]) expect(slurm.read('all.log')).toContain(`${rank}: Launch: Slurm, rank ${rank} of 3`);
    expect(slurm.read('all.log')).not.toContain('SLURM_HET_SIZE');
  });

  it('sbatch without srun says to use srun', async () => {
    writeFileSync(slurm.file('bare.sh'), `#!/bin/bash\n${launch().join(' ')}\n`);
    await slurm.run('sbatch', ['--wait', '-n', '1', '-o', 'bare.log', 'bare.sh'], env).catch(() => '');
    expect(slurm.read('bare.log')).toContain('LOCKSTEP_LAUNCH_VARIABLE');
    expect(slurm.read('bare.log')).toContain('srun');
  });

  it.each([
    ['killed in the middle of an epoch', 'KILL', EVERY * Math.floor(HELD_STEP / EVERY)],
    ['warned by SIGUSR1', 'USR1', HELD_STEP + 1],
  ])(
    'a job that is %s queues again and goes on from its checkpoint to the same bits',
    async (_, signal, resumedStep) => {
      const log = `${signal}.log`;
      // the first start stands still at a step until the signal comes
      const script = `#!/bin/bash
[ -n "$SLURM_RESTART_COUNT" ] || export LOCKSTEP_HOLD=${HELD_STEP}:9
srun --kill-on-bad-exit=1 ${launch(['--checkpoint', slurm.file(signal), '--every', `${EVERY}steps`]).join(' ')}
code=$?
echo "exit code $code"
[ $code -ne 0 ] && [ -z "$SLURM_RESTART_COUNT" ] && scontrol requeue $SLURM_JOB_ID
exit $code
`;
      writeFileSync(slurm.file(`${signal}.sh`), script);
      const options = ['--parsable', '-n', '3', '--requeue', '--open-mode=append', '-o', log];
      const job = (await slurm.run('sbatch', [...options, `${signal}.sh`], env)).trim();
      await slurm.until('the run is held', () => slurm.read(log).includes('a test holds the run'), log);
      await slurm.run('scancel', [`--signal=${signal}`, `${job}.0`]);
      await slurm.until('the job is queued again', () => slurm.read(log).includes('exit code '), log);
      // Slurm lets it rest for two minutes; in the second of its end it would be taken for the one that was killed
      const isPending = async () => (await slurm.run('squeue', ['-h', '-j', job, '-o', '%T'])).trim() === 'PENDING';
      await slurm.until('it is pending', isPending, log);
      await slurm.run('scontrol', ['update', `JobId=${job}`, 'StartTime=now+3']);
      await slurm.until('it has ended', () => slurm.read(log).includes('exit code 0'), log);
      expect(slurm.read(log)).toContain(`"resumedStep":${resumedStep}`);
      if (signal === 'USR1') expect(slurm.read(log)).toContain('exit code 75');
      expect(readHash(slurm.read(log))).toBe(expected);
    },
  );

  it('scontrol show hostnames reads node lists as we do', async () => {
    const lists = fc.sample(nodeList, { numRuns: 20, seed: 7 });
    for (const list of ['n[1-3,7],m05', 'n[08-11]', 'rack[0-1]n[1-2]', 'n[9-010]', 'n[1-2],,m', ...lists]) {
      const names = (await slurm.run('scontrol', ['show', 'hostnames', list])).trim().split('\n');
      expect(expandNodeList(list), list).toEqual(names);
    }
  });
});

/** Up to two brackets in a name, and none of them with a text behind it: others this Slurm cannot read. */
const nodeList = fc
  .array(
    fc.tuple(
      fc.stringMatching(/^[a-z]{1,3}$/),
      fc.array(fc.array(fc.tuple(fc.nat(30), fc.nat(4), fc.nat(3)), { minLength: 1, maxLength: 3 }), { maxLength: 2 }),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((entries) =>
    entries
      .map(([prefix, groups]) => {
        const brackets = groups.map((ranges) => {
          const texts = ranges.map(([first, more, width]) =>
            [first, first + more].map((value) => String(value).padStart(width, '0')).join('-'),
          );
          return `[${texts.join(',')}]`;
        });
        return prefix + brackets.join('');
      })
      .join(','),
  );
