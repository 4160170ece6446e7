/** Connections between the nodes of a mesh that are cut: the run goes on as a star until they are back, with the same bits. */
import { describe, expect, it } from 'vitest';
import { useFixture } from '../support/cluster-fixture.ts';
import type { Program } from '../support/program.ts';
import { HarmfulProxy, portOf } from './harmful-proxy.ts';

/** Enough for a mesh to come together again while they go on. */
const STEPS = 120;
const HELD_STEP = 30;
/** Inside the first steps: what comes before is the handshake. */
const AFTER_BYTES = 60_000;
/** What a handshake never has, and a few steps do. */
const SUMS_BYTES = 30_000;
/** No deadline helps: a node that waits for lost sums waits for ever. */
const NO_DEADLINE = { LOCKSTEP_NODE_DEADLINE_MS: '1000000' };
const fixture = useFixture(STEPS);

/**
 * A run of three whose first node has an address of its own, from which it comes to the coordinator and at which the
 * others are told to call it: so that there are proxies on both ways.
 */
async function startMesh(
  tamper: (direct: HarmfulProxy, ...bytes: Parameters<HarmfulProxy['tamper']>) => Buffer | undefined,
) {
  const run = fixture.listen(STEPS, ['--topology', 'mesh', '--wait-for', '2'], {
    ...NO_DEADLINE,
    LOCKSTEP_HOLD: `${HELD_STEP}:3`,
  });
  const url = await run.url();
  const way = new HarmfulProxy(portOf(url), '127.0.0.2');
  const direct = new HarmfulProxy(undefined, '127.0.0.2');
  direct.tamper = (...bytes) => tamper(direct, ...bytes);
  const port = portOf(await direct.open());
  const called = fixture.worker(await way.open(), ['--name', 'called', '--mesh-listen', `127.0.0.1:${port}`]);
  await run.event('waiting', undefined, ({ nodes }) => nodes === 1);
  const caller = fixture.worker(url, ['--name', 'caller', '--mesh-listen', '127.0.0.1:0']);
  return { run, url, way, direct, called, caller };
}

const isHeld = (run: Program) => run.event('waiting', undefined, ({ reason }) => reason === 'a test holds the run');

// only there is every address of 127.0.0.0/8 this machine's
describe.runIf(process.platform === 'linux')('a mesh of three whose two nodes lose each other', () => {
  it.each(['up', 'down'] as const)(
    'on the way %s: nobody is sent away, sums go through the coordinator, and directly again when they can',
    async (where) => {
      let cuts = 0;
      let isBack = false;
      let bytesSince = 0;
      const { run, url, way, direct, called, caller } = await startMesh((proxy, chunk, direction, seen) => {
        if (cuts === 0 && direction === where && seen > AFTER_BYTES) {
          cuts += 1;
          proxy.isDown = true;
          return undefined;
        }
        if (isBack) bytesSince += chunk.length;
        return chunk;
      });
      await isHeld(run);
      expect(cuts).toBe(1);
      await run.until(() => direct.refused > 0, 'a call while the way is cut');
      isBack = true;
      direct.isDown = false;
      await run.until(() => bytesSince > 0, 'a call when the way is back');
      const late = fixture.worker(url, ['--name', 'late', '--mesh-listen', '127.0.0.1:0']);
      expect(await run.hash()).toBe(fixture.expected);
      expect(await run.exit).toBe(0);
      expect(run.events.filter(({ event }) => event === 'node-left' || event === 'node-evicted')).toEqual([]);
      expect(bytesSince).toBeGreaterThan(SUMS_BYTES);
      for (const node of [called, caller, late]) expect(await node.exit).toBe(0);
      for (const proxy of [way, direct]) proxy.close();
    },
  );
});
