/** Sums that go through the leaders of groups: five replicas, of which 0 leads 1 and 2, and 3 leads 4. */
import { describe, expect, it } from 'vitest';
import { inferLayers } from '../../packages/core/dist/model/index.js';
import { planContribution } from '../../packages/core/dist/run/index.js';
import { loadModelSpec } from '../../packages/core/dist/zoo/index.js';
import { useFixture } from '../support/cluster-fixture.ts';
import type { Program } from '../support/program.ts';
import { HarmfulProxy, portOf } from './harmful-proxy.ts';

const STEPS = 60;
/** Most of them after all nodes know each other; until then sums go through the coordinator. */
const MANY_STEPS = 600;
/** All of the vector is one bucket; or many, of which each leader owns half: more than nodes send ahead of finished sums. */
const ONE_BUCKET = {};
const SMALL_BUCKETS = { LOCKSTEP_BUCKET_FLOATS: '192' };
const fixture = useFixture(STEPS);

interface Start {
  readonly steps?: number;
  readonly flags?: readonly string[];
  readonly env?: Record<string, string>;
  /** Environments and threads of nodes 1 to 4. */
  readonly faults?: readonly (string | undefined)[];
  readonly threads?: readonly string[];
  /** Where node 4 finds the coordinator, if not at its address. */
  readonly wayOf4?: (url: string) => Promise<string>;
}

/** A run whose nodes have come one after the other, so that each has the number of its name. */
async function start({ steps = STEPS, flags = [], env = ONE_BUCKET, faults = [], threads = [], wayOf4 }: Start) {
  const run = fixture.listen(steps, ['--topology', 'hierarchical', '--wait-for', '4', ...flags], env);
  const url = await run.url();
  const nodes: Program[] = [];
  for (const id of [1, 2, 3, 4]) {
    const fault = faults[id - 1];
    const own = ['--name', `node ${id}`, '--mesh-listen', '127.0.0.1:0', '--threads', threads[id - 1] ?? '1'];
    const way = id === 4 && wayOf4 ? await wayOf4(url) : url;
    nodes.push(fixture.worker(way, own, { ...env, ...(fault !== undefined && { LOCKSTEP_FAULT: fault }) }));
    if (id < 4) await run.event('waiting', undefined, ({ nodes: there }) => there === id);
  }
  return { run, nodes };
}

async function expectSameBits(run: Program, bits = fixture.expected): Promise<void> {
  expect(await run.hash()).toBe(bits);
  expect(await run.exit).toBe(0);
}

describe('a hierarchy of five', () => {
  it.each([
    ['uneven threads, and buckets that both leaders own', [], SMALL_BUCKETS, ['2', '1', '1', '3']],
    [
      'a coordinator that only coordinates, bf16, clipping and an average',
      ['--workers', '0', '--gradient-precision', 'bf16', '--clip-norm', '0.01', '--ema', '0.9'],
      ONE_BUCKET,
      [],
    ],
  ])('gives the bits of one process with %s', async (_, flags, env, threads) => {
    const alone = flags.filter((flag, index) => flag !== '--workers' && flags[index - 1] !== '--workers');
    const bits = alone.length === 0 ? fixture.expected : await fixture.hashAlone(STEPS, alone);
    const { run, nodes } = await start({ flags, env, threads });
    await expectSameBits(run, bits);
    for (const node of nodes) expect(await node.exit).toBe(0);
    expect(run.events.filter(({ event }) => event === 'node-evicted' || event === 'node-left')).toEqual([]);
  });

  it('goes on without a leader that is killed at step 20', async () => {
    const { run } = await start({ env: SMALL_BUCKETS, faults: [undefined, undefined, 'contributed:0:20:kill'] });
    expect((await run.event('node-left'))['node']).toBe('node 3');
    await expectSameBits(run);
  });
});

it('doubts the node whose sums are not numbers, not the leader that would have added them up', async () => {
  const { run } = await start({ faults: [undefined, undefined, undefined, 'contributed:0:20:nan'] });
  expect(await run.event('node-doubted')).toMatchObject({ node: 'node 4', by: 'node 3', step: 20 });
  await expectSameBits(run);
});

it('finds a member that stalls, goes on without it, and takes it in again', async () => {
  const { run, nodes } = await start({
    env: { LOCKSTEP_HOLD: '50:4' },
    faults: [undefined, undefined, undefined, 'contributed:0:20:stop'],
  });
  expect((await run.event('node-evicted'))['node']).toBe('node 4');
  await run.event('waiting', undefined, ({ reason }) => reason === 'a test holds the run');
  nodes[3]?.kill('SIGCONT');
  await run.event('node-joined', undefined, ({ node, step }) => node === 'node 4' && step === 50);
  await expectSameBits(run);
});

it('has no sums go between the coordinator and a member of another group, once all know each other', async () => {
  const passed = { up: 0, down: 0 };
  const { run } = await start({
    steps: MANY_STEPS,
    wayOf4: async (url) => {
      const proxy = new HarmfulProxy(portOf(url));
      proxy.tamper = (chunk, direction) => {
        passed[direction] += chunk.length;
        return chunk;
      };
      return proxy.open();
    },
  });
  await expectSameBits(run, await fixture.hashAlone(MANY_STEPS));
  const { length } = planContribution(inferLayers(loadModelSpec(fixture.model).model));
  // a star has one sum up and one down in every step
  const most = (4 * length * MANY_STEPS) / 2;
  expect(passed.up).toBeLessThan(most);
  expect(passed.down).toBeLessThan(most);
});
