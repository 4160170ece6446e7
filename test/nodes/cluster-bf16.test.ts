/** Gradients in bf16 between processes: the bits of one process alone, in half the bytes. */
import { beforeAll, describe, expect, it } from 'vitest';
import { inferLayers } from '../../packages/core/dist/model/index.js';
import { BucketForm, canonicalPartials, listGradients, planContribution } from '../../packages/core/dist/run/index.js';
import { loadModelSpec } from '../../packages/core/dist/zoo/index.js';
import { useFixture } from '../support/cluster-fixture.ts';
import { HarmfulProxy, portOf } from './harmful-proxy.ts';
import { HostileNode, learnSelfTest } from './hostile-node.ts';

const STEPS = 20;
const BF16 = ['--gradient-precision', 'bf16'];
const fixture = useFixture();
const layout = planContribution(inferLayers(loadModelSpec(fixture.model).model));
const gradientFloats = listGradients(layout).reduce((sum, { begin, end }) => sum + end - begin, 0);
const ALL_FLOATS = layout.length;
/** A mesh has the last one here, and all in cluster-bf16.slow.test.ts. */
const CASES: [string, string[], string[]][] = [
  ['2 nodes', ['1'], []],
  ['2 nodes and clipping', ['2'], ['--clip-norm', '0.01']],
  ['3 nodes with uneven threads', ['2', '1'], []],
];
const isSlow = process.env['LOCKSTEP_SLOW'] === '1';
let expected = '';
let expectedFloat32 = '';
let selfTest = '';

beforeAll(async () => {
  [expected, expectedFloat32] = await Promise.all([fixture.hashAlone(STEPS, BF16), fixture.hashAlone(STEPS)]);
  selfTest = await learnSelfTest(fixture, { gradientPrecision: 'bf16' });
});

it('is another result than in float32', () => {
  expect(expected).not.toBe(expectedFloat32);
});

describe.each(['star', 'mesh'])('a %s in bf16', (topology) => {
  const mesh = topology === 'mesh' ? ['--mesh-listen', '127.0.0.1:0'] : [];

  it.each(topology === 'mesh' && !isSlow ? CASES.slice(2) : CASES)(
    'gives the bits of one process with %s',
    async (_, threads, more) => {
      const alone = more.length === 0 ? expected : await fixture.hashAlone(STEPS, [...BF16, ...more]);
      const flags = ['--topology', topology, ...BF16, ...more];
      const coordinator = fixture.listen(STEPS, [...flags, '--wait-for', String(threads.length)]);
      const url = await coordinator.url();
      const nodes = threads.map((count) => fixture.worker(url, ['--threads', count, ...mesh]));
      expect(await coordinator.hash()).toBe(alone);
      expect(await coordinator.exit).toBe(0);
      for (const node of nodes) expect(await node.exit).toBe(0);
    },
  );
});

it('finds nothing in an audit, and goes on after the coordinator was killed and resumed, in bf16', async () => {
  const folder = `${fixture.folder}/checkpoints`;
  const flags = [...BF16, '--wait-for', '1', '--checkpoint', folder, '--every', '5 steps', '--audit', '0.5'];
  const killed = fixture.listen(STEPS, flags, { LOCKSTEP_FAULT: 'update:0:12:kill' });
  const port = portOf(await killed.url());
  const node = fixture.worker(`ws://127.0.0.1:${port}`);
  expect(await killed.exit).toBe(128);
  expect(killed.events.filter(({ event }) => event === 'node-evicted')).toEqual([]);
  // the recipe, and with it the precision, is the checkpoint's
  const resumed = fixture.train(STEPS, [
    ...['--resume', folder, '--listen', `127.0.0.1:${port}`, '--token-file', fixture.token, '--wait-for', '1'],
  ]);
  expect(await resumed.hash()).toBe(expected);
  expect(await node.exit).toBe(0);
});

it('sends half the bytes over the link', async () => {
  const [float32, bf16] = [await countBytes([]), await countBytes(BF16)];
  // 9 steps an epoch, the last of one shard, which the coordinator keeps; else one sum up, and one down in every step
  const up = STEPS - Math.floor(STEPS / 9);
  const saved = 2 * gradientFloats;
  expect((float32.up - bf16.up) / (up * saved)).toBeCloseTo(1, 1);
  expect((float32.down - bf16.down) / (STEPS * saved)).toBeCloseTo(1, 1);
});

/** Bytes of a run between the coordinator and its only node. */
async function countBytes(flags: readonly string[]): Promise<{ up: number; down: number }> {
  const coordinator = fixture.listen(STEPS, ['--wait-for', '1', ...flags]);
  const proxy = new HarmfulProxy(portOf(await coordinator.url()));
  const bytes = { up: 0, down: 0 };
  proxy.tamper = (chunk, direction) => {
    bytes[direction] += chunk.length;
    return chunk;
  };
  const node = fixture.worker(await proxy.open());
  await coordinator.hash();
  await node.exit;
  proxy.close();
  return bytes;
}

describe('a frame of sums in bf16', () => {
  it('has two bytes for each gradient and four for all else, both ways', async () => {
    const run = fixture.listen(STEPS, [...BF16, '--topology', 'star', '--wait-for', '1']);
    const node = new HostileNode(await run.url());
    const assignment = await node.join(selfTest);
    const { bytes } = new BucketForm(0, ALL_FLOATS, listGradients(layout));
    expect(bytes).toBe(2 * gradientFloats + 4 * (ALL_FLOATS - gradientFloats));
    contribute(node, assignment, bytes);
    expect((await node.next('reduced')).payload).toHaveLength(bytes);
    node.socket.terminate();
    expect(await run.hash()).not.toBe('');
  });

  it('is refused when it has four for all', async () => {
    const run = fixture.listen(STEPS, [...BF16, '--wait-for', '1']);
    const node = new HostileNode(await run.url());
    const assignment = await node.join(selfTest);
    contribute(node, assignment, 4 * ALL_FLOATS);
    const evicted = await run.event('node-evicted');
    expect(evicted['code']).toBe('LOCKSTEP_NODE_CONTRIBUTION');
    expect(evicted['reason']).toContain(`it sent ${4 * ALL_FLOATS} bytes for a bucket of `);
    expect(await run.hash()).toBe(expected);
  });

  function contribute(node: HostileNode, assignment: Awaited<ReturnType<HostileNode['join']>>, bytes: number): void {
    const { step, generation, members } = assignment;
    const own = members.find(({ node: id }) => id !== 0);
    for (const range of own ? canonicalPartials(own.range) : []) {
      node.send({ type: 'partial', step, generation, ...range, offset: 0 }, new Uint8Array(bytes));
    }
  }
});
