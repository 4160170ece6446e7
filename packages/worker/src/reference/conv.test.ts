import type { Shape } from '@lockstep/core/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ConvGeometry } from './conv.js';
import { convForward, convInputGradient, convWeightGradient, convWeightSize } from './conv.js';
import { differentiateAll, dot, relativeError } from './finite-differences.js';
import { randomValues } from './random-values.js';
import { sumChannels, zeroShard } from './tensor.js';

/** The layers are linear, so only rounding separates analytic from numerical derivatives. */
const TOLERANCE = 1e-9;

const outputSide = (n: number, kernel: number, stride: number, padding: number): number =>
  Math.floor((n + 2 * padding - kernel) / stride) + 1;

const randomGeometry: fc.Arbitrary<ConvGeometry> = fc
  .record({
    height: fc.integer({ min: 1, max: 6 }),
    width: fc.integer({ min: 1, max: 6 }),
    inPerGroup: fc.integer({ min: 1, max: 2 }),
    outPerGroup: fc.integer({ min: 1, max: 2 }),
    groups: fc.integer({ min: 1, max: 3 }),
    kernel: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 3 }),
    padding: fc.integer({ min: 0, max: 3 }),
  })
  .filter(({ height, width, kernel, padding }) => kernel <= Math.min(height, width) + 2 * padding)
  .map(({ height, width, inPerGroup, outPerGroup, groups, kernel, stride, padding }) => ({
    input: { channels: inPerGroup * groups, height, width },
    output: {
      channels: outPerGroup * groups,
      height: outputSide(height, kernel, stride, padding),
      width: outputSide(width, kernel, stride, padding),
    },
    kernel,
    stride,
    padding,
    groups,
  }));

const square = (channels: number, side: number): Shape => ({ channels, height: side, width: side });

/** The definition, word for word: pad, then one dot product per output. */
function convByDefinition(geometry: ConvGeometry, samples: number, input: Float64Array, weight: Float64Array) {
  const { input: inShape, output, kernel, stride, padding, groups } = geometry;
  const inPerGroup = inShape.channels / groups;
  const padded = (sample: number, channel: number, y: number, x: number): number =>
    y < 0 || y >= inShape.height || x < 0 || x >= inShape.width
      ? 0
      : (input[((sample * inShape.channels + channel) * inShape.height + y) * inShape.width + x] ?? Number.NaN);
  return zeroShard(output, samples).map((_, index) => {
    const x = index % output.width;
    const y = Math.floor(index / output.width) % output.height;
    const o = Math.floor(index / (output.width * output.height)) % output.channels;
    const sample = Math.floor(index / (output.width * output.height * output.channels));
    const firstChannel = Math.floor((o * groups) / output.channels) * inPerGroup;
    let sum = 0;
    for (let i = 0; i < inPerGroup; i++) {
      for (let ky = 0; ky < kernel; ky++) {
        for (let kx = 0; kx < kernel; kx++) {
          const w = weight[((o * inPerGroup + i) * kernel + ky) * kernel + kx] ?? Number.NaN;
          sum += w * padded(sample, firstChannel + i, y * stride + ky - padding, x * stride + kx - padding);
        }
      }
    }
    return sum;
  });
}

describe('convolution worked by hand', () => {
  const input = Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  const weight = Float64Array.of(1, 2, 3, 4);
  const plain: ConvGeometry = {
    input: square(1, 3),
    output: square(1, 2),
    kernel: 2,
    stride: 1,
    padding: 0,
    groups: 1,
  };

  test('correlates a 2x2 kernel with a 3x3 image, and adds the bias', () => {
    // 1*1 + 2*2 + 4*3 + 5*4 = 37, and so on.
    expect([...convForward(plain, 1, input, weight, Float64Array.of(0.5))]).toEqual([37.5, 47.5, 67.5, 77.5]);
  });

  test('pads with zeros and strides', () => {
    const geometry: ConvGeometry = { ...plain, stride: 2, padding: 1 };
    // Top left window sees only the 1, under weight 4; top right 2 and 3 under 3 and 4.
    expect([...convForward(geometry, 1, input, weight, undefined)]).toEqual([4, 18, 2 * 4 + 4 * 7, 77]);
  });

  test('gives gradients by hand', () => {
    const dOut = Float64Array.of(1, 0, 0, 10);
    expect([...convWeightGradient(plain, 1, input, dOut)]).toEqual([51, 62, 84, 95]);
    expect([...convInputGradient(plain, 1, weight, dOut)]).toEqual([1, 2, 0, 3, 14, 20, 0, 30, 40]);
    expect([...sumChannels(plain.output, 1, dOut)]).toEqual([11]);
  });

  test('keeps the two channels of a depthwise convolution apart', () => {
    const geometry = { ...plain, input: square(2, 1), output: square(2, 1), kernel: 1, groups: 2 };
    expect([...convForward(geometry, 1, Float64Array.of(3, 5), Float64Array.of(2, 10), undefined)]).toEqual([6, 50]);
  });
});

test('convolves as the definition says, over random shapes', () => {
  fc.assert(
    fc.property(randomGeometry, fc.integer({ min: 1, max: 3 }), fc.nat(), (geometry, samples, seed) => {
      const input = randomValues(zeroShard(geometry.input, samples).length, seed);
      const weight = randomValues(convWeightSize(geometry), seed + 1);
      const out = convForward(geometry, samples, input, weight, undefined);
      expect(relativeError(out, convByDefinition(geometry, samples, input, weight))).toBeLessThan(1e-12);
    }),
    { numRuns: 200 },
  );
});

test('gives the gradients of input, weight and bias that central differences give', () => {
  fc.assert(
    fc.property(randomGeometry, fc.nat(), (geometry, seed) => {
      const samples = 2;
      const input = randomValues(zeroShard(geometry.input, samples).length, seed);
      const weight = randomValues(convWeightSize(geometry), seed + 1);
      const bias = randomValues(geometry.output.channels, seed + 2);
      const dOut = randomValues(zeroShard(geometry.output, samples).length, seed + 3);
      const measure = () => dot(convForward(geometry, samples, input, weight, bias), dOut);
      const dInput = convInputGradient(geometry, samples, weight, dOut);
      const dWeight = convWeightGradient(geometry, samples, input, dOut);
      const dBias = sumChannels(geometry.output, samples, dOut);
      expect(relativeError(dInput, differentiateAll(measure, input))).toBeLessThan(TOLERANCE);
      expect(relativeError(dWeight, differentiateAll(measure, weight))).toBeLessThan(TOLERANCE);
      expect(relativeError(dBias, differentiateAll(measure, bias))).toBeLessThan(TOLERANCE);
    }),
    { numRuns: 40 },
  );
});
