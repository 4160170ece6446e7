import fc from 'fast-check';
import { expect, test } from 'vitest';
import { differentiateAll, dot, relativeError } from './finite-differences.js';
import { linearForward, linearInputGradient, linearWeightGradient } from './linear.js';
import { randomValues } from './random-values.js';

test('multiplies by the transposed weight, worked by hand', () => {
  const size = { inFeatures: 2, outFeatures: 3 };
  const input = Float64Array.of(1, 2, 3, 4);
  const weight = Float64Array.of(1, 0, 0, 1, 10, 100);
  expect([...linearForward(size, 2, input, weight, Float64Array.of(0, 0, 0.5))]).toEqual([1, 2, 210.5, 3, 4, 430.5]);
  const dOut = Float64Array.of(1, 0, 0, 0, 0, 2);
  expect([...linearInputGradient(size, 2, weight, dOut)]).toEqual([1, 0, 20, 200]);
  expect([...linearWeightGradient(size, 2, input, dOut)]).toEqual([1, 2, 0, 0, 6, 8]);
});

test('gives the gradients of input and weight that central differences give', () => {
  const side = fc.integer({ min: 1, max: 9 });
  fc.assert(
    fc.property(side, side, side, fc.nat(), (inFeatures, outFeatures, samples, seed) => {
      const size = { inFeatures, outFeatures };
      const input = randomValues(samples * inFeatures, seed);
      const weight = randomValues(outFeatures * inFeatures, seed + 1);
      const dOut = randomValues(samples * outFeatures, seed + 2);
      const measure = () => dot(linearForward(size, samples, input, weight, undefined), dOut);
      const dInput = linearInputGradient(size, samples, weight, dOut);
      const dWeight = linearWeightGradient(size, samples, input, dOut);
      expect(relativeError(dInput, differentiateAll(measure, input))).toBeLessThan(1e-9);
      expect(relativeError(dWeight, differentiateAll(measure, weight))).toBeLessThan(1e-9);
    }),
    { numRuns: 60 },
  );
});
