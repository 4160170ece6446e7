import '../environment.js';
import { expect, it } from 'vitest';
import { live } from '../machines/node.js';
import { runs } from '../machines/run.js';
import { SimulatedNetwork } from '../network/simulated-network.js';
import { Draws } from '../world/draws.js';
import { Machine } from '../world/machine.js';
import { inWorld } from '../world/timers.js';

/** Of a node, and the default of --connect-timeout. */
const LONGEST_MS = 5000;
const PATIENCE_MS = 300_000;

it('waits: return: a node that finds nobody tries again within five seconds, and gives up after its patience', () =>
  inWorld(1, async (world) => {
    const machine = new Machine('alone', '10.0.1.1');
    const tries: number[] = [];
    let ended = '';
    const options = {
      coordinatorHost: '10.0.0.1',
      dataset: runs.adam.dataset,
      pace: () => 1,
      makeLink: undefined,
      name: 'alone',
      signal: new AbortController().signal,
      report: () => void tries.push(world.nowMs),
    };
    const act = (): void =>
      void live(machine, new SimulatedNetwork(world, new Draws(1, 1)), options).catch((error: Error) => {
        ended = error.message;
      });
    world.after(0, machine, act);
    await world.pass(() => ended !== '', 2 * PATIENCE_MS);
    expect(ended).toMatch(/^LOCKSTEP_CONNECT: /);
    const pauses = tries.slice(1).map((at, index) => at - (tries[index] as number));
    expect(Math.max(...pauses)).toBeGreaterThan(LONGEST_MS - 1);
    expect(Math.max(...pauses)).toBeLessThan(LONGEST_MS + 100);
    expect(world.nowMs).toBeGreaterThan(PATIENCE_MS);
    expect(world.nowMs).toBeLessThan(PATIENCE_MS + 2 * LONGEST_MS);
  }));
