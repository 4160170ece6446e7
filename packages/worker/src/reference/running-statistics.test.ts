import fc from 'fast-check';
import { expect, test } from 'vitest';
import { measureChannels } from './batch-norm.js';
import { relativeError } from './finite-differences.js';
import { randomValues } from './random-values.js';
import { combineShards, updateRunning } from './running-statistics.js';

test('puts 1, 2, 3 and 6 together from two shards, worked by hand', () => {
  // Mean 3; squares of the distances 4 + 1 + 0 + 9 = 14, over 4 - 1.
  const first = { count: 2, mean: Float64Array.of(1.5), variance: Float64Array.of(0.25) };
  const second = { count: 2, mean: Float64Array.of(4.5), variance: Float64Array.of(2.25) };
  const { mean, unbiasedVariance } = combineShards([first, second]);
  expect([...mean]).toEqual([3]);
  expect(unbiasedVariance[0]).toBeCloseTo(14 / 3, 14);
});

test('moves the running value a tenth of the way to the batch', () => {
  expect(
    relativeError(updateRunning(Float64Array.of(0, 1), Float64Array.of(3, 4)), Float64Array.of(0.3, 1.3)),
  ).toBeLessThan(1e-15);
});

test('gives a batch of one value per channel the variance 0', () => {
  const only = { count: 1, mean: Float64Array.of(7), variance: Float64Array.of(0) };
  expect([...combineShards([only]).unbiasedVariance]).toEqual([0]);
});

test('gives the statistics of the whole batch, however it is cut into shards', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(
      sizes.filter((counts) => counts.length > 1 || (counts[0] ?? 0) > 1),
      fc.nat(),
      (counts, seed) => {
        const shape = { channels: 3, height: 2, width: 2 };
        const samples = counts.reduce((a, b) => a + b, 0);
        const batch = randomValues(samples * 12, seed, -2, 5);
        let start = 0;
        const shards = counts.map((count) => {
          const shard = batch.subarray(start * 12, (start + count) * 12);
          start += count;
          return { count: count * 4, ...measureChannels(shape, count, shard) };
        });
        const whole = measureChannels(shape, samples, batch);
        const unbiased = whole.variance.map((variance) => (variance * samples * 4) / (samples * 4 - 1));
        const combined = combineShards(shards);
        expect(relativeError(combined.mean, whole.mean)).toBeLessThan(1e-12);
        expect(relativeError(combined.unbiasedVariance, unbiased)).toBeLessThan(1e-12);
      },
    ),
  );
});
