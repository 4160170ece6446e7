/** Shards follow the speed that is measured of each node, and no bit follows them. */
import { describe, expect, it } from 'vitest';
import { useFixture } from '../support/cluster-fixture.ts';
import type { Program } from '../support/program.ts';

/** 16 shards to deal; 5 steps an epoch. */
const BATCH = ['--batch-size', '256'];
const STEPS = 120;
const HELD_STEP = 60;
/** Slow kernels, so that a step takes many of the times below; and nobody is sent away for being slow. */
const NODE = { LOCKSTEP_ISA: 'wasm-exact', LOCKSTEP_SILENCE_MS: '60000' };
const STOPPED_MS = 12;
const RUNNING_MS = 2;
const fixture = useFixture(STEPS, BATCH);

/** Shards of the busy node by those of the free one, each time that they were dealt in these steps. */
function ratiosOf(run: Program, isAt: (step: number) => boolean): number[] {
  return run.events
    .filter(({ event, step }) => event === 'rebalanced' && isAt(step as number))
    .map(({ shards }) => {
      const of = new Map((shards as { node: string; shards: number }[]).map((share) => [share.node, share.shards]));
      return (of.get('busy') ?? 0) / (of.get('free') ?? 0);
    });
}

/** Lets a program run a small part of the time, as a busy machine would; returns what ends that. */
function slowDown(program: Program): () => void {
  let timer: NodeJS.Timeout;
  const run = (): void => {
    program.kill('SIGCONT');
    timer = setTimeout(stop, RUNNING_MS);
  };
  const stop = (): void => {
    program.kill('SIGSTOP');
    timer = setTimeout(run, STOPPED_MS);
  };
  stop();
  return () => {
    clearTimeout(timer);
    program.kill('SIGCONT');
  };
}

describe.each(['star', 'mesh'])('a %s of two nodes', (topology) => {
  const mesh = topology === 'mesh' ? ['--mesh-listen', '127.0.0.1:0'] : [];
  const flags = [...BATCH, '--topology', topology, '--workers', '0', '--wait-for', '2'];

  it('gives few shards to a node that its machine lets run now and then, and more when it may run again', async () => {
    const run = fixture.listen(STEPS, flags, {
      ...NODE,
      LOCKSTEP_EVEN: '0',
      LOCKSTEP_NODE_DEADLINE_MS: '60000',
      LOCKSTEP_HOLD: `${HELD_STEP}:3`,
    });
    const url = await run.url();
    const start = (name: string): Program => fixture.worker(url, ['--name', name, ...mesh], NODE);
    const [busy] = ['busy', 'free'].map(start);
    await run.event('epoch', 60_000);
    expect(ratiosOf(run, (step) => step === 0)).toEqual([1]);
    const speedUp = slowDown(busy as Program);
    await run.event('waiting', 120_000, ({ reason }) => reason === 'a test holds the run');
    speedUp();
    const least = Math.min(...ratiosOf(run, (step) => step < HELD_STEP));
    expect(least).toBeLessThan(0.5);
    start('third');
    expect(await run.hash(120_000)).toBe(fixture.expected);
    expect(await run.exit).toBe(0);
    expect(ratiosOf(run, (step) => step >= HELD_STEP).at(-1)).toBeGreaterThan(least);
    expect(run.events.filter(({ event }) => event === 'node-left' || event === 'node-evicted')).toEqual([]);
  });
});
