import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchNormBackward, batchNormForward, measureChannels, normalizeChannels } from './batch-norm.js';
import { differentiateAll, dot, relativeError } from './finite-differences.js';
import { randomValues } from './random-values.js';
import { zeroShard } from './tensor.js';

const TOLERANCE = 1e-6;

test('normalises by the biased statistics of the shard, worked by hand', () => {
  // Channel 0 holds 1, 2 and 3, 4 (mean 2.5, variance 1.25); channel 1 holds 5 four times (variance 0).
  const shape = { channels: 2, height: 1, width: 2 };
  const input = Float64Array.of(1, 2, 5, 5, 3, 4, 5, 5);
  const statistics = measureChannels(shape, 2, input);
  expect([...statistics.mean]).toEqual([2.5, 5]);
  expect([...statistics.variance]).toEqual([1.25, 0]);
  const normalized = normalizeChannels(shape, 2, input, statistics);
  const out = batchNormForward(shape, 2, normalized, Float64Array.of(2, 3), Float64Array.of(1, -1));
  // 1.5 / sqrt(1.25001) = 1.3416354, as torch.nn.BatchNorm1d prints for 1, 2, 3, 4.
  const far = 1.3416354199;
  const near = 0.4472118066;
  const expected = [1 - 2 * far, 1 - 2 * near, -1, -1, 1 + 2 * near, 1 + 2 * far, -1, -1];
  expect(relativeError(out, Float64Array.from(expected))).toBeLessThan(1e-9);
});

test('gives gradients worked by hand for one channel of two values', () => {
  // Values -1 and 1: mean 0, variance 1. With r = 1/sqrt(1 + eps) the normalized values are -r and r.
  const shape = { channels: 1, height: 1, width: 1 };
  const r = 1 / Math.sqrt(1 + 1e-5);
  const normalized = Float64Array.of(-r, r);
  const variance = Float64Array.of(1);
  const got = batchNormBackward(shape, 2, normalized, variance, Float64Array.of(3), Float64Array.of(1, 5));
  expect([...got.dBeta]).toEqual([6]);
  expect(got.dGamma[0]).toBeCloseTo(4 * r, 14);
  // gamma r (dOut - mean dOut - normalized * mean(dOut * normalized)) = 3 r (1 - 3 + r * 2 r) and its opposite.
  const dFirst = 3 * r * (-2 + 2 * r * r);
  expect(got.dInput[0]).toBeCloseTo(dFirst, 14);
  expect(got.dInput[1]).toBeCloseTo(-dFirst, 14);
});

test('gives the gradients of input, gamma and beta that central differences give', () => {
  const shapes = fc.record({
    channels: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 1, max: 4 }),
    width: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(
    fc.property(shapes, fc.integer({ min: 3, max: 5 }), fc.nat(), (shape, samples, seed) => {
      const input = randomValues(zeroShard(shape, samples).length, seed);
      // One value far from the others per channel keeps the variance away from 0, where the function bends sharply.
      for (let c = 0; c < shape.channels; c++) input[c * shape.height * shape.width] = 3;
      const gamma = randomValues(shape.channels, seed + 1, 0.5, 2);
      const beta = randomValues(shape.channels, seed + 2);
      const dOut = randomValues(input.length, seed + 3);
      const forward = () => {
        const normalized = normalizeChannels(shape, samples, input, measureChannels(shape, samples, input));
        return batchNormForward(shape, samples, normalized, gamma, beta);
      };
      const statistics = measureChannels(shape, samples, input);
      const normalized = normalizeChannels(shape, samples, input, statistics);
      const gradients = batchNormBackward(shape, samples, normalized, statistics.variance, gamma, dOut);
      const measure = () => dot(forward(), dOut);
      expect(relativeError(gradients.dInput, differentiateAll(measure, input))).toBeLessThan(TOLERANCE);
      expect(relativeError(gradients.dGamma, differentiateAll(measure, gamma))).toBeLessThan(TOLERANCE);
      expect(relativeError(gradients.dBeta, differentiateAll(measure, beta))).toBeLessThan(TOLERANCE);
    }),
    { numRuns: 60 },
  );
});
