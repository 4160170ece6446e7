/** For tests: many forgeries, each with a seed of its own. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Topology } from '@lockstep/coordinator/steps';
import fc from 'fast-check';
import { expect } from 'vitest';
import { type Forgery, type ForgeryOutcome, forgeToNode, forgeToRun } from './run-forgery.js';

/** What all connections together may leave behind in this process, and what it may take at any time. */
const MOST_LEFT_BYTES = 32 * 2 ** 20;
const MOST_TAKEN_BYTES = 256 * 2 ** 20;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Half of the frames go to runs, half to nodes. @returns how many were sent */
export async function checkForgeries(topology: Topology, runs: number, frames: number): Promise<number> {
  let sent = 0;
  const check = async (forge: (forgery: Forgery) => Promise<ForgeryOutcome>, seed: number): Promise<void> => {
    const outcome = await forge({ seed, topology, frames });
    expect(outcome.fault).toBeUndefined();
    expect(outcome.sent).toBe(frames);
    sent += outcome.sent;
  };
  const property = fc.asyncProperty(fc.nat(2 ** 31 - 1), async (seed) => {
    await check(forgeToRun, seed);
    await check(forgeToNode, seed);
  });
  // recordings and compiled code stay
  await forgeToRun({ seed: 1, topology, frames: 50 });
  await forgeToNode({ seed: 1, topology, frames: 50 });
  const [left, taken] = [await measureLeft(), process.resourceUsage().maxRSS];
  // a failure is a seed: nothing smaller is to be found, and each try takes seconds
  await fc.assert(property, { numRuns: runs, endOnFailure: true });
  expect((await measureLeft()) - left).toBeLessThan(MOST_LEFT_BYTES);
  expect(1024 * (process.resourceUsage().maxRSS - taken)).toBeLessThan(MOST_TAKEN_BYTES);
  return sent;
}

/** What is freed with something else is gone at the next try. */
async function measureLeft(): Promise<number> {
  for (let tries = 0; tries < 3; tries++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
