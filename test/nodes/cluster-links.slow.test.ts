/** Runs over links that do harm: whatever happens to the bytes, the node comes back and the bits are those of one process. */
import { describe, expect, it } from 'vitest';
import { useFixture } from '../support/cluster-fixture.ts';
import type { Program } from '../support/program.ts';
import { HarmfulProxy, portOf, type Tamper } from './harmful-proxy.ts';

const STEPS = 20;
/** Well inside the steps: what comes before is handshake and state. */
const AFTER_BYTES = 100_000;
const fixture = useFixture(STEPS);

/** A run that a node alone computes, behind a proxy. */
async function startRun(tamper: Tamper, delayMs = 0): Promise<{ run: Program; proxy: HarmfulProxy }> {
  const run = fixture.listen(STEPS, ['--workers', '0', '--wait-for', '1']);
  const proxy = new HarmfulProxy(portOf(await run.url()));
  proxy.tamper = tamper;
  proxy.delayMs = delayMs;
  fixture.worker(await proxy.open(), ['--name', 'far']);
  return { run, proxy };
}

/** Does harm to one piece of the stream, in one direction. */
function once(where: 'up' | 'down', harm: (chunk: Buffer) => Buffer | undefined): Tamper {
  let isDone = false;
  return (chunk, direction, seen) => {
    // a heartbeat alone may be lost without harm
    if (isDone || direction !== where || seen < AFTER_BYTES || chunk.length < 1000) return chunk;
    isDone = true;
    return harm(chunk);
  };
}

const flipBit = (chunk: Buffer): Buffer => {
  const at = Math.floor(chunk.length / 2);
  chunk[at] = (chunk[at] as number) ^ 4;
  return chunk;
};

describe.each(['up', 'down'] as const)('on the way %s', (direction) => {
  it.each<[string, (chunk: Buffer) => Buffer | undefined]>([
    ['a bit is flipped', flipBit],
    ['a piece is lost', () => Buffer.alloc(0)],
    ['half a piece is lost', (chunk) => chunk.subarray(chunk.length >> 1)],
    ['a piece comes twice', (chunk) => Buffer.concat([chunk, chunk])],
    ['the link is cut in the middle', () => undefined],
  ])('%s: the node is sent away or leaves, comes back, and the result is the same', async (_, harm) => {
    const { run, proxy } = await startRun(once(direction, harm));
    const isGone = ({ event }: { event: string }): boolean => event === 'node-left' || event === 'node-evicted';
    const gone = await run.until(() => run.events.find(isGone), 'the loss of the node');
    expect(gone['node']).toBe('far');
    expect(gone['reason']).not.toBe('');
    await run.until(() => run.events.filter(({ event }) => event === 'node-joined')[1], 'its return');
    expect(await run.hash()).toBe(fixture.expected);
    expect(await run.exit).toBe(0);
    proxy.close();
  });
});

it('a link that stops carrying anything is given up after the time of silence, and the node comes back', async () => {
  let isDead = false;
  const { run, proxy } = await startRun((chunk, _, seen) => {
    isDead ||= seen > AFTER_BYTES;
    return isDead ? Buffer.alloc(0) : chunk;
  });
  expect((await run.event('node-evicted'))['code']).toMatch(/^LOCKSTEP_NODE_(SILENT|STALLED)$/);
  proxy.tamper = (chunk) => chunk;
  proxy.cut();
  expect(await run.hash()).toBe(fixture.expected);
  proxy.close();
});

it('a link that delays everything by 20 ms changes nothing', async () => {
  const { run, proxy } = await startRun((chunk) => chunk, 20);
  expect(await run.hash()).toBe(fixture.expected);
  expect(run.events.filter(({ event }) => event === 'node-left' || event === 'node-evicted')).toEqual([]);
  proxy.close();
});
