import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differentiateAll, relativeError } from './finite-differences.js';
import { crossEntropy } from './loss.js';
import { randomLabels, randomValues } from './random-values.js';

describe('cross-entropy', () => {
  test('is 0.40760596 for logits 1, 2, 3 and label 2, as in PyTorch', () => {
    const { lossSum, correct, dLogits } = crossEntropy(Float64Array.of(1, 2, 3), Uint8Array.of(2), 3);
    expect(lossSum).toBeCloseTo(0.4076059644443804, 14);
    expect(correct).toBe(1);
    const expected = Float64Array.of(0.09003057317038046, 0.24472847105479767, -0.3347590442251782);
    expect(relativeError(dLogits, expected)).toBeLessThan(1e-14);
  });

  test('is 0.50760596 with label smoothing of 0.1, as in PyTorch', () => {
    const { lossSum, dLogits } = crossEntropy(Float64Array.of(1, 2, 3), Uint8Array.of(2), 3, 0.1);
    expect(lossSum).toBeCloseTo(0.5076059644443804, 14);
    const expected = Float64Array.of(
      0.09003057317038046 - 0.1 / 3,
      0.24472847105479767 - 0.1 / 3,
      0.6652409557748219 - 0.9 - 0.1 / 3,
    );
    expect(relativeError(dLogits, expected)).toBeLessThan(1e-14);
  });

  test('sums over the samples, without dividing', () => {
    const { lossSum, dLogits } = crossEntropy(new Float64Array(8), Uint8Array.of(0, 1, 0, 1), 2);
    expect(lossSum).toBeCloseTo(4 * Math.LN2, 14);
    expect([...dLogits]).toEqual([-0.5, 0.5, 0.5, -0.5, -0.5, 0.5, 0.5, -0.5]);
  });

  test('counts a sample as correct only when its label is the first of equal largest logits', () => {
    const logits = Float64Array.of(1, 3, 3, 1, 3, 3);
    expect(crossEntropy(logits, Uint8Array.of(1, 1), 3).correct).toBe(2);
    expect(crossEntropy(logits, Uint8Array.of(2, 2), 3).correct).toBe(0);
  });

  test('stays finite for logits of a thousand', () => {
    const { lossSum, dLogits } = crossEntropy(Float64Array.of(1000, 0, -1000), Uint8Array.of(2), 3);
    expect(lossSum).toBe(2000);
    expect([...dLogits]).toEqual([1, 0, -1]);
  });

  test('names a label beyond the classes', () => {
    expect(() => crossEntropy(new Float64Array(2), Uint8Array.of(2), 2)).toThrow('label 2 of sample 0, with 2 classes');
  });

  test('gives the gradient that central differences give', () => {
    const count = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(count, fc.integer({ min: 2, max: 12 }), fc.nat(), (samples, classes, seed) => {
        const logits = randomValues(samples * classes, seed, -4, 4);
        const labels = randomLabels(samples, classes, seed + 1);
        const numerical = differentiateAll(() => crossEntropy(logits, labels, classes).lossSum, logits);
        expect(relativeError(crossEntropy(logits, labels, classes).dLogits, numerical)).toBeLessThan(1e-9);
      }),
    );
  });
});
