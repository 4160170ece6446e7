import { execFile } from 'node:child_process';
import { expect, it } from 'vitest';
import { Soak } from './soak.js';
import { Tally } from './tally.js';

const ENTRY = new URL('../../dist/main.js', import.meta.url).href;
const SCRIPT = `const { main } = await import('${ENTRY}'); process.exitCode = await main(process.argv.slice(1));`;

/** @param isa which kernels; `none` ends a process at its first schedule */
const schedules = (args: readonly string[], isa = ''): Promise<{ code: unknown; out: string }> =>
  new Promise((done) => {
    const env = { ...process.env, LOCKSTEP_ISA: isa };
    execFile(process.execPath, ['--input-type=module', '-e', SCRIPT, '--', ...args], { env }, (error, out) =>
      done({ code: error?.code ?? 0, out }),
    );
  });

it('lets schedules happen in several processes, and says how many of what there were', async () => {
  const { code, out } = await schedules(['--seeds', '1..6', '--topology', 'mesh', '--processes', '2']);
  expect(out).toMatch(/^6 schedules: mesh 6 \(\d+\.\d ms of CPU each\)\n/);
  expect(out).toMatch(/\n[\d,]+ events, \d+\.\d\d simulated hours, \d+ s of CPU\nfaults: (?:[a-z ]+ \d+(?:, )?)+\n/);
  expect(out).toMatch(/\n0 schedules did not end as they have to\n$/);
  expect(code).toBe(0);
});

it('of one seed all is told, step by step', async () => {
  const { code, out } = await schedules(['--seeds', '4', '--topology', 'star']);
  expect(out).toMatch(/"seed": 4,[\s\S]*coordinator: step 6 is committed\n[\s\S]*ended in the bits of the calm run\n$/);
  expect(code).toBe(0);
});

it('goes on after a seed that ends its process, and fails in the end', async () => {
  const { code, out } = await schedules(['--seeds', '7..8', '--endings'], 'none');
  expect(out).toMatch(/^npm run schedules -- --seeds 7 --endings: its process ended with code 1\n.*--seeds 8 /);
  expect(out).toMatch(/\n2 schedules did not end as they have to\n$/);
  expect(code).toBe(1);
});

it('ends a process that tells nothing, counts its seed as failed, and goes on', async () => {
  const failures: string[] = [];
  const signal = new AbortController().signal;
  const onFailure = (text: string): void => void failures.push(text);
  const portion = { first: 1, last: 2, topology: undefined, kind: 'any' } as const;
  await new Soak({ ...portion, processes: 1, signal, standstillMs: 1, onFailure }).run();
  const ended = (seed: number): string => `npm run schedules -- --seeds ${seed}: its process ended with SIGKILL`;
  expect(failures).toEqual([ended(1), ended(2)]);
});

it('adds up what came of schedules', () => {
  const tally = new Tally();
  const one = {
    seed: 1,
    topology: 'star',
    events: 1500,
    simulatedMs: 1.8e6,
    cpuMs: 10,
    injected: { kill: 2 },
  } as const;
  tally.add(one);
  tally.add({ ...one, topology: 'mesh', cpuMs: 30, injected: { kill: 1, lie: 1200 } });
  tally.add({ ...one, cpuMs: 20, injected: {} });
  expect(tally.describe()).toEqual([
    '3 schedules: mesh 1 (30.0 ms of CPU each), star 2 (15.0 ms of CPU each)',
    '4,500 events, 1.50 simulated hours, 0 s of CPU',
    'faults: lie 1,200, kill 3',
  ]);
});
