/** A node of a mesh that calls the others as one that it is not. */
import { expect, it } from 'vitest';
import { CalledLink, ClaimingLink } from '../machines/claiming-link.js';
import { coordinate } from '../machines/coordinator.js';
import { live } from '../machines/node.js';
import { runs, STEPS_PER_EPOCH } from '../machines/run.js';
import { SimulatedNetwork } from '../network/simulated-network.js';
import { Draws } from '../world/draws.js';
import { Machine } from '../world/machine.js';
import { inWorld } from '../world/timers.js';
import { findCalm } from './calm.js';

const HOST = '10.0.0.1';
const LIAR = '10.0.1.3';
const CLAIMED = 2;
const SHARD_MS = 500;
/** So that they come one after the other: the first is node 1. */
const APART_MS = 2000;
const LIMIT_MS = 600_000;

it('cases: peers 25: a liar that calls as another node is taken for that by nobody, and nobody loses a connection', async () => {
  const calm = await findCalm('sgd');
  await inWorld(1, async (world) => {
    const network = new SimulatedNetwork(world, new Draws(1, 1));
    const hashes = new Map<number, string>();
    const events: string[] = [];
    const taken: string[] = [];
    let claims = 0;
    let isOver = false;
    const coordinator = new Machine('coordinator', HOST);
    const begin = (): void =>
      void coordinate(coordinator, network, {
        ...{ run: runs.sgd, topology: 'mesh', waitFor: 3, audit: 0, expected: 0, endingMs: 0, isComputing: true },
        pace: () => SHARD_MS,
        from: undefined,
        segmentSteps: STEPS_PER_EPOCH,
        onSnapshot: () => {},
        onCommit: (steps, hash) => hashes.set(steps, hash),
        onEvent: ({ event }) => events.push(event),
        onResult: () => {},
        onClosing: () => (isOver = true),
      });
    world.after(0, coordinator, begin);
    for (const host of ['10.0.1.1', '10.0.1.2', LIAR]) {
      const machine = new Machine(host, host);
      const act = (): void =>
        void live(machine, network, {
          coordinatorHost: HOST,
          dataset: runs.sgd.dataset,
          pace: () => SHARD_MS,
          makeLink: host === LIAR ? (...args) => new ClaimingLink(CLAIMED, () => claims++, ...args) : undefined,
          makeCalledLink: (...args) =>
            new CalledLink((node, address) => taken.push(`${node} from ${address.split(':')[0]}`), ...args),
          name: host,
          signal: new AbortController().signal,
          report: () => {},
        });
      world.after(APART_MS * Number(host.slice(-1)), machine, act);
    }
    expect(await world.pass(() => isOver, LIMIT_MS)).toBe(true);
    expect(Object.fromEntries(hashes)).toEqual(Object.fromEntries([...calm].filter(([steps]) => steps > 0)));
    expect(claims).toBeGreaterThan(2);
    // 1 is called by 2, and 2 by the liar: as itself, since it would be 2 that calls 2
    expect(taken.sort()).toEqual(['2 from 10.0.1.2', `3 from ${LIAR}`]);
    expect(events.filter((event) => event === 'node-joined')).toHaveLength(3);
    expect(events).not.toContain('node-evicted');
  });
});
