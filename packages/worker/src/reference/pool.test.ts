import fc from 'fast-check';
import { expect, test } from 'vitest';
import { differentiateAll, dot, relativeError } from './finite-differences.js';
import type { PoolGeometry } from './pool.js';
import {
  avgPoolBackward,
  avgPoolForward,
  globalAvgPoolBackward,
  globalAvgPoolForward,
  maxPoolBackward,
  maxPoolForward,
} from './pool.js';
import { distinctValues, randomValues } from './random-values.js';
import { zeroShard } from './tensor.js';

const TOLERANCE = 1e-9;
/** Values are distinct by at least 2 / 216, so no maximum changes within two steps. */
const STEP = 1e-3;

const randomGeometry: fc.Arbitrary<PoolGeometry> = fc
  .record({
    channels: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 1, max: 6 }),
    width: fc.integer({ min: 1, max: 6 }),
    kernel: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 4 }),
  })
  .filter(({ height, width, kernel }) => kernel <= Math.min(height, width))
  .map(({ channels, height, width, kernel, stride }) => {
    const side = (n: number) => Math.floor((n - kernel) / stride) + 1;
    return {
      input: { channels, height, width },
      output: { channels, height: side(height), width: side(width) },
      kernel,
      stride,
    };
  });

const onePlane = (height: number, width: number, kernel: number, stride: number): PoolGeometry => ({
  input: { channels: 1, height, width },
  output: {
    channels: 1,
    height: Math.floor((height - kernel) / stride) + 1,
    width: Math.floor((width - kernel) / stride) + 1,
  },
  kernel,
  stride,
});

test('takes the first of equal values in row order, and sends it the whole gradient', () => {
  const geometry = onePlane(2, 2, 2, 2);
  const { out, winners } = maxPoolForward(geometry, 2, Float64Array.of(1, 7, 7, 7, -2, -2, -2, -2));
  expect([...out]).toEqual([7, -2]);
  expect([...winners]).toEqual([1, 4]);
  expect([...maxPoolBackward(geometry, 2, winners, Float64Array.of(5, 6))]).toEqual([0, 5, 0, 0, 6, 0, 0, 0]);
});

test('adds the gradients of overlapping windows (kernel 2, stride 1)', () => {
  const geometry = onePlane(3, 3, 2, 1);
  const { out, winners } = maxPoolForward(geometry, 1, Float64Array.of(1, 2, 3, 4, 9, 6, 7, 8, 5));
  expect([...out]).toEqual([9, 9, 9, 9]);
  expect([...maxPoolBackward(geometry, 1, winners, Float64Array.of(1, 2, 3, 4))]).toEqual([0, 0, 0, 0, 10, 0, 0, 0, 0]);
});

test('leaves out the last row and column that no whole window covers (5x5, kernel 2)', () => {
  const geometry = onePlane(5, 5, 2, 2);
  const input = new Float64Array(25).map((_, i) => i);
  expect([...maxPoolForward(geometry, 1, input).out]).toEqual([6, 8, 16, 18]);
  expect([...avgPoolForward(geometry, 1, input)]).toEqual([3, 5, 13, 15]);
});

test('averages whole planes', () => {
  const shape = { channels: 2, height: 1, width: 2 };
  expect([...globalAvgPoolForward(shape, 1, Float64Array.of(1, 3, 10, 30))]).toEqual([2, 20]);
  expect([...globalAvgPoolBackward(shape, 1, Float64Array.of(4, 8))]).toEqual([2, 2, 4, 4]);
});

test('gives the input gradients that central differences give, for all three pools', () => {
  fc.assert(
    fc.property(randomGeometry, fc.nat(), (geometry, seed) => {
      const samples = 2;
      const input = distinctValues(zeroShard(geometry.input, samples).length, seed);
      const dOut = randomValues(zeroShard(geometry.output, samples).length, seed + 1);
      const dPlanes = randomValues(samples * geometry.input.channels, seed + 2);
      const { winners } = maxPoolForward(geometry, samples, input);
      const checks: [Float64Array, () => number][] = [
        [
          maxPoolBackward(geometry, samples, winners, dOut),
          () => dot(maxPoolForward(geometry, samples, input).out, dOut),
        ],
        [avgPoolBackward(geometry, samples, dOut), () => dot(avgPoolForward(geometry, samples, input), dOut)],
        [
          globalAvgPoolBackward(geometry.input, samples, dPlanes),
          () => dot(globalAvgPoolForward(geometry.input, samples, input), dPlanes),
        ],
      ];
      for (const [dInput, measure] of checks) {
        expect(relativeError(dInput, differentiateAll(measure, input, STEP))).toBeLessThan(TOLERANCE);
      }
    }),
    { numRuns: 60 },
  );
});
