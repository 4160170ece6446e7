/** Random models on the native engine, for the tests of every build, the sanitizers and the planted faults. */
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { randomModel, type ShardDraw } from '../reference/random-models.js';
import { describeErrors } from './test-comparison.js';
import { judge } from './test-noise.js';

/** Samples of a step: a short shard, several in a wave, or a shard of two blocks. At least 8 in each: see randomShard. */
const STEPS = [
  { shardSize: 16, sampleCount: 9 },
  { shardSize: 16, sampleCount: 16 },
  { shardSize: 16, sampleCount: 24 },
  { shardSize: 16, sampleCount: 41 },
  { shardSize: 32, sampleCount: 25 },
] as const;

export const randomStep = fc.record({ seed: fc.nat(), step: fc.constantFrom(...STEPS) });

/** The memory of engines that are not needed any more is given back between two turns of the event loop. */
const REST_EVERY = 100;

/** Share of the models that may be beyond judging in float32. */
export const MOST_UNJUDGED = 0.02;

/**
 * Draws and judges models.
 *
 * @param isas builds of the kernels: the first is judged, the others have to give its bits; default: the best one
 * @param seed of the draws; without one they are others each time
 * @returns how many could not be judged
 * @throws Error with the model and its errors when one is wrong, or the builds differ
 */
export async function checkRandomModels(count: number, isas?: readonly string[], seed?: number): Promise<number> {
  let drawn = 0;
  let unjudged = 0;
  await fc.assert(
    fc.asyncProperty(randomModel, randomStep, async (model, { seed, step }) => {
      if (++drawn % REST_EVERY === 0) await setImmediate();
      const draw: ShardDraw = { seed, sampleCount: step.sampleCount };
      const { wrong, isUnjudged } = judge({
        model,
        draw,
        shardSize: step.shardSize,
        ...(isas !== undefined && { isas }),
      });
      if (isUnjudged) unjudged++;
      if (wrong.length > 0) throw new Error(describeErrors(wrong));
    }),
    { numRuns: count, ...(seed !== undefined && { seed }) },
  );
  return unjudged;
}
