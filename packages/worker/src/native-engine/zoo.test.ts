/** Whole networks of the zoo on jittered digits, with PyTorch-like initial weights, against float64. */
import { zooModels } from '@lockstep/core/zoo';
import { describe, expect, it } from 'vitest';
import { compareSeeds, describeErrors, median, TOLERANCE, worstError } from './test-comparison.js';
import { compareOnDigits } from './test-digits.js';

const MODELS = zooModels.map(({ model }) => model.name);
/** What the float64 reference computes in a second or less; the slow test has the rest. */
const SMALL_MODELS = MODELS.filter((name) => name !== 'cnn11m');

describe.each(SMALL_MODELS)('%s on digits, every tensor of the contribution against float64', (name) => {
  it('a shard of 16: the median of five seeds', async () => {
    const runs = await compareSeeds([1, 2, 3, 4, 5], (seed) => compareOnDigits(name, { seed, samples: 16 }));
    expect(median(runs.map(worstError)), describeErrors(runs)).toBeLessThan(TOLERANCE);
  });

  it.each([
    ['a short last shard: 13 of 16 lanes', { samples: 13 }],
    ['a short shard of 32: 21 lanes', { samples: 21, shardSize: 32 }],
  ])('%s: the median of three seeds', async (_, shape) => {
    const runs = await compareSeeds([1, 2, 3], (seed) => compareOnDigits(name, { seed, ...shape }));
    expect(median(runs.map(worstError)), describeErrors(runs)).toBeLessThan(TOLERANCE);
  });
});

describe('cnn11m on digits, every tensor of the contribution against float64', () => {
  it('one short shard: 5 of 16 lanes', async () => {
    const errors = await compareOnDigits('cnn11m', { seed: 1, samples: 5 });
    expect(worstError(errors), describeErrors([errors])).toBeLessThan(TOLERANCE);
  });
});
