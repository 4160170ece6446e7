/** Links that are slow or flip bits: they cost time, never a node its place and never a bit of the result. */
import { afterAll, afterEach, expect, it } from 'vitest';
import { Fixture } from '../support/cluster-fixture.ts';
import { flipEvery, HarmfulProxy, portOf } from './harmful-proxy.ts';

const FLIP_EVERY = 400_000;
/** A step carries some 60 kB in each direction. */
const FEATURES = 50;
const STEPS = 12;
const fixture = new Fixture(FEATURES);
afterEach(() => fixture.clear());
afterAll(() => fixture.remove());

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

it('cases: peers 14: a link that is cut in the middle of the data goes on there', async () => {
  const small = new Fixture();
  try {
    const expected = await small.hashAlone(STEPS);
    const run = small.listen(STEPS, ['--wait-for', '1']);
    const proxy = new HarmfulProxy(portOf(await run.url()));
    let isCut = false;
    proxy.tamper = (chunk, direction, seen) => {
      if (isCut || direction === 'up' || seen < 80_000) return chunk;
      isCut = true;
      return undefined;
    };
    const node = small.worker(await proxy.open(), ['--no-data', '--name', 'far']);
    expect(await run.hash()).toBe(expected);
    expect(await node.exit).toBe(0);
    proxy.close();
    expect(node.stderr).toMatch(/data: goes on at byte (65,536|131,072) of 163,850/);
  } finally {
    await small.remove();
  }
});
