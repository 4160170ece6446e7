/** The images that training sees, native against the reference. */

import { philox } from '@lockstep/core/math';
import { elementCount, type Shape } from '@lockstep/core/model';
import type { Augmentation } from '@lockstep/core/spec';
import { availableIsas, loadKernels } from '@lockstep/kernels';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { augmentImage, drawChange, drawWords } from '../reference/augmentation.js';
import { randomImages } from '../reference/random-values.js';
import { TEST_SEED } from './test-harness.js';
import { probeInput } from './test-probe.js';

/**
 * Positions in the images below are under 64 pixels, and each is rounded to float32 four times: (4 * 2^-19). Noise
 * changes by up to 255 from one pixel to the next, along both axes.
 */
const TOLERANCE = 2 * 255 * 4 * 2 ** -19;

const EPOCH = 3;
const IMAGES = 7;
const SHAPES: readonly Shape[] = [
  { channels: 1, height: 28, width: 28 },
  { channels: 2, height: 9, width: 14 },
];

/** Noise, after an image of zeros. */
function drawImages(shape: Shape): Uint8Array {
  const images = randomImages(shape, IMAGES, 11);
  return images.fill(0, 0, elementCount(shape));
}

/** What the reference makes of an image. */
function augment(images: Uint8Array, shape: Shape, image: number, augmentation: Augmentation, seed = TEST_SEED) {
  const change = drawChange(drawWords(seed, EPOCH, image), augmentation, shape.width);
  const size = elementCount(shape);
  return { change, expected: augmentImage(images.subarray(image * size, (image + 1) * size), shape, change) };
}

const largestDifference = (actual: Float32Array, expected: Float64Array): number =>
  expected.reduce((most, value, i) => Math.max(most, Math.abs((actual[i] as number) - value)), 0);

describe.each(availableIsas())('augmentation (%s)', (isa) => {
  it.each<[string, Augmentation]>([
    ['rotation', { rotation: 25, shift: 0, scale: 0 }],
    ['rotation all the way round', { rotation: 180, shift: 0, scale: 0 }],
    ['scale', { rotation: 0, shift: 0, scale: 0.3 }],
    ['rotation, shift and scale', { rotation: 10, shift: 3, scale: 0.2 }],
    ['centre crop', { rotation: 0, shift: 0, scale: 0, centerCrop: { size: 6, probability: 1 } }],
    ['a crop wider than the image', { rotation: 0, shift: 0, scale: 0, centerCrop: { size: 33, probability: 1 } }],
    ['all of them', { rotation: 10, shift: 3, scale: 0.2, centerCrop: { size: 10, probability: 0.5 } }],
  ])('%s: as the reference, at every lane', (_, augmentation) => {
    for (const shape of SHAPES) {
      const images = drawImages(shape);
      for (const [image, position] of [
        [1, 0],
        [2, 1],
        [3, 7],
        [4, 8],
        [5, 15],
        [6, 20],
      ] as const) {
        const probe = { shape, images, recipe: { augmentation }, isa, epoch: EPOCH };
        const { change, expected } = augment(images, shape, image, augmentation);
        const actual = probeInput(probe, image, position);
        expect(largestDifference(actual, expected), JSON.stringify({ shape, image, change })).toBeLessThan(TOLERANCE);
      }
    }
  });

  it('shift: exactly the reference, in whole pixels, zeros from outside', () => {
    const augmentation = { rotation: 0, shift: 4, scale: 0 };
    const seen = new Set<string>();
    for (const shape of SHAPES) {
      const images = drawImages(shape);
      for (let image = 1; image < IMAGES; image++) {
        const { change, expected } = augment(images, shape, image, augmentation);
        seen.add(`${change.shiftX} ${change.shiftY}`);
        const actual = probeInput({ shape, images, recipe: { augmentation }, isa, epoch: EPOCH }, image, image % 5);
        expect([...actual]).toEqual([...expected]);
      }
    }
    expect(seen.size).toBeGreaterThan(3);
  });

  it('a shift beyond the image leaves nothing of it', () => {
    const shape = { channels: 1, height: 3, width: 3 };
    const images = drawImages(shape).fill(255, 9);
    const inputs = Array.from({ length: IMAGES - 1 }, (_, i) =>
      probeInput({ shape, images, recipe: { augmentation: { shift: 64 } }, isa }, i + 1),
    );
    expect(inputs.some((input) => input.every((value) => value === 0))).toBe(true);
  });

  it('normalizes pixels from outside as zeros: (0 - mean) / std', () => {
    const shape = { channels: 1, height: 5, width: 5 };
    const images = drawImages(shape).fill(255, 25);
    const augmentation = { rotation: 0, shift: 4, scale: 0 };
    const normalization = { mean: [0.1307], std: [0.3081] };
    const probe = { shape, images, recipe: { augmentation }, isa, epoch: EPOCH, normalization };
    const { expected } = augment(images, shape, 1, augmentation);
    const outside = Math.fround(-0.1307 / 0.3081);
    const inside = (1 - 0.1307) / 0.3081;
    const actual = [...probeInput(probe, 1)];
    expect(expected).toContain(0);
    actual.forEach((value, i) => {
      if (expected[i] === 0) expect(value).toBe(outside);
      else expect(value).toBeCloseTo(inside, 5);
    });
  });

  it('crops as many images as its probability says, and leaves the others alone', () => {
    const shape = { channels: 1, height: 5, width: 5 };
    const images = randomImages(shape, 201, 3).fill(0, 0, 25);
    const augmentation = { rotation: 0, shift: 0, scale: 0, centerCrop: { size: 3, probability: 0.25 } };
    const cropped = Array.from({ length: 200 }, (_, i) => {
      const image = i + 1;
      const { change, expected } = augment(images, shape, image, augmentation);
      const actual = probeInput({ shape, images, recipe: { augmentation }, isa, epoch: EPOCH }, image, image % 20);
      expect(largestDifference(actual, expected)).toBeLessThan(TOLERANCE);
      const isWhole = actual.every((value, pixel) => value === images[25 * image + pixel]);
      expect(isWhole).toBe(change.scale === 1);
      return isWhole ? 0 : 1;
    });
    const count = cropped.reduce<number>((sum, one) => sum + one, 0);
    // 50 expected, 6 is the standard deviation
    expect(count).toBeGreaterThan(25);
    expect(count).toBeLessThan(75);
  });

  it('is none where the recipe has none', () => {
    const [shape] = SHAPES as [Shape];
    const images = drawImages(shape);
    const size = elementCount(shape);
    expect([...probeInput({ shape, images, isa, epoch: EPOCH }, 2)]).toEqual([...images.subarray(2 * size, 3 * size)]);
  });

  it('is a function of seed, epoch and image alone', () => {
    const [shape] = SHAPES as [Shape];
    const images = drawImages(shape);
    const size = elementCount(shape);
    images.copyWithin(2 * size, size, 2 * size);
    const augmentation = { rotation: 20, shift: 2, scale: 0.1 };
    const draw = (image: number, options: object, position = 0): string =>
      probeInput({ shape, images, recipe: { augmentation }, isa, ...options }, image, position).join(' ');
    const first = draw(1, {});
    expect(draw(1, { step: 9 }, 5)).toBe(first);
    expect(draw(2, {})).not.toBe(first);
    expect(draw(1, { epoch: 1 })).not.toBe(first);
    expect(draw(1, { seed: TEST_SEED + 1 })).not.toBe(first);
  });

  it('draws from both halves of a seed above 2^32', () => {
    const [shape] = SHAPES as [Shape];
    const images = drawImages(shape);
    const augmentation = { rotation: 0, shift: 14, scale: 0 };
    for (const seed of [2 ** 32 + 5, 2 ** 53 - 1]) {
      const { expected } = augment(images, shape, 3, augmentation, seed);
      const actual = probeInput({ shape, images, recipe: { augmentation }, isa, epoch: EPOCH, seed }, 3);
      expect([...actual]).toEqual([...expected]);
    }
  });

  it('draws the words of core', () => {
    const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const kernels = loadKernels(isa);
    fc.assert(
      fc.property(fc.maxSafeNat(), word, word, word, word, (seed, index, lane, stream, purpose) => {
        const expected = new Uint32Array(4);
        philox(seed, purpose as never, stream, lane, index, expected);
        const actual = kernels.philox(seed % 2 ** 32, Math.floor(seed / 2 ** 32), index, lane, stream, purpose);
        expect(actual).toEqual([...expected]);
      }),
      { numRuns: 300 },
    );
  });
});
