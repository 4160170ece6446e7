/** Links that are slow or flip bits: they cost time, never a node its place and never a bit of the result. */
import { afterAll, afterEach, expect, it } from 'vitest';
import { Fixture } from '../support/cluster-fixture.ts';
import { HarmfulProxy, portOf, type Tamper } from './harmful-proxy.ts';

const FLIP_EVERY = 400_000;
/** A step carries some 60 kB in each direction. */
const FEATURES = 50;
const STEPS = 12;
const fixture = new Fixture(FEATURES);
afterEach(() => fixture.clear());
afterAll(() => fixture.remove());

/** Flips one bit in so many bytes, of both directions and all connections together. */
function flipEvery(bytes: number): { tamper: Tamper; flips: () => number } {
  let next = bytes;
  let flips = 0;
  const tamper: Tamper = (chunk) => {
    while (next < chunk.length) {
      chunk[next] = (chunk[next] as number) ^ (1 << (flips++ & 7));
      next += bytes;
    }
    next -= chunk.length;
    return chunk;
  };
  return { tamper, flips: () => flips };
}

it('cases: peers 6: a link that flips a bit in each 400 kB costs connections, and keeps nobody out', async () => {
  const expected = await fixture.hashAlone(STEPS);
  const run = fixture.listen(STEPS, ['--workers', '0', '--wait-for', '1']);
  const proxy = new HarmfulProxy(portOf(await run.url()));
  const { tamper, flips } = flipEvery(FLIP_EVERY);
  proxy.tamper = tamper;
  const node = fixture.worker(await proxy.open(), ['--name', 'far']);
  expect(await run.hash()).toBe(expected);
  expect(await run.exit).toBe(0);
  expect(await node.exit).toBe(0);
  proxy.close();
  // of three strikes that the node once had
  expect(flips()).toBeGreaterThan(3);
  expect(run.events.filter(({ code }) => code === 'LOCKSTEP_NODE_BANNED')).toEqual([]);
  expect(`${node.stderr}${JSON.stringify(run.events)}`).not.toContain('it said refused');
  expect(node.stderr).toContain('lost: LOCKSTEP_NODE_SEAL: the seal of a frame is wrong');
});
