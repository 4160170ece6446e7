import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { augmentImage, drawChange, normalizePixels } from './augmentation.js';
import { relativeError } from './finite-differences.js';
import { randomImages } from './random-values.js';

const unchanged = { angleDegrees: 0, scale: 1, shiftX: 0, shiftY: 0 };
const three = { channels: 1, height: 3, width: 3 };
const digits = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);

const augment = (change: Partial<typeof unchanged>) => augmentImage(digits, three, { ...unchanged, ...change });

describe('the draw of a change', () => {
  const augmentation = { rotation: 10, shift: 2, scale: 0.25 };
  const LARGEST = 0xffffffff;
  const draw = (words: [number, number, number, number]) => drawChange([...words, 0], augmentation, 28);

  test('spans the ranges from the smallest words to the largest', () => {
    expect(draw([0, 0, 0, 0])).toEqual({ angleDegrees: -10, scale: 0.75, shiftX: -2, shiftY: -2 });
    const { angleDegrees, scale, shiftX, shiftY } = draw([LARGEST, LARGEST, LARGEST, LARGEST]);
    expect(angleDegrees).toBe(10 * (1 - 2 ** -23));
    expect(scale).toBe(1 + 0.25 * (1 - 2 ** -23));
    expect([shiftX, shiftY]).toEqual([2, 2]);
  });

  test('leaves the image alone for middle words', () => {
    expect(draw([2 ** 31, 2 ** 31, 2 ** 31, 2 ** 31])).toEqual(unchanged);
  });

  test('draws each shift from its own word, all of them equally often', () => {
    const words = Array.from({ length: 5 }, (_, i) => Math.floor(((i + 0.5) / 5) * 2 ** 32));
    expect(words.map((word) => draw([0, 0, word, 0]).shiftX)).toEqual([-2, -1, 0, 1, 2]);
    expect(words.map((word) => draw([0, 0, 0, word]).shiftY)).toEqual([-2, -1, 0, 1, 2]);
  });

  test('magnifies what it crops, which the fifth word decides', () => {
    const cropping = { rotation: 0, shift: 0, scale: 0, centerCrop: { size: 22, probability: 0.25 } };
    const drawCrop = (word: number) => drawChange([0, 0, 0, 0, word], cropping, 28).scale;
    expect([0, 2 ** 30 - 1, 2 ** 30, LARGEST].map(drawCrop)).toEqual([28 / 22, 28 / 22, 1, 1]);
  });

  test('reads words as unsigned', () => {
    expect(draw([-1, 0, 0, 0]).angleDegrees).toBeGreaterThan(9.99);
  });
});

describe('the change of an image', () => {
  test('shifts right and down, and fills with 0', () => {
    expect([...augment({ shiftX: 1 })]).toEqual([0, 1, 2, 0, 4, 5, 0, 7, 8]);
    expect([...augment({ shiftY: -1 })]).toEqual([4, 5, 6, 7, 8, 9, 0, 0, 0]);
  });

  test('turns clockwise by a quarter: the top row becomes the right column', () => {
    // Output (y, x) = (0, 2): dy = -1, dx = 1; sx = sin * dy = -1, sy = -sin * dx = -1: the input's top left.
    const turned = Float64Array.of(7, 4, 1, 8, 5, 2, 9, 6, 3);
    expect(relativeError(augment({ angleDegrees: 90 }), turned)).toBeLessThan(1e-12);
  });

  test('doubles about the centre with bilinear steps', () => {
    expect([...augment({ scale: 2 })]).toEqual([3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7]);
  });

  test('halves about the centre, with 0 around', () => {
    expect([...augment({ scale: 0.5 })]).toEqual([0, 0, 0, 0, 5, 0, 0, 0, 0]);
  });

  test('mixes the border with 0 outside', () => {
    // Scale 0.8 takes x = 0 to 1 - 1 / 0.8 = -0.25: three quarters of the border, a quarter of 0.
    expect(augment({ scale: 0.8 })[3]).toBe(3);
  });

  test('shifts after turning', () => {
    const turned = augment({ angleDegrees: 30, scale: 0.9 });
    const both = augment({ angleDegrees: 30, scale: 0.9, shiftX: 1 });
    expect([both[1], both[2]]).toEqual([turned[0], turned[1]]);
  });

  test('changes nothing without a change, and treats channels alike, for random images', () => {
    const shapes = fc.record({
      channels: fc.integer({ min: 1, max: 3 }),
      height: fc.integer({ min: 1, max: 9 }),
      width: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(shapes, fc.nat(), fc.double({ min: -180, max: 180, noNaN: true }), (shape, seed, angleDegrees) => {
        const image = randomImages(shape, 1, seed);
        expect([...augmentImage(image, shape, unchanged)]).toEqual([...image]);
        const change = { angleDegrees, scale: 1.1, shiftX: 1, shiftY: 0 };
        const whole = augmentImage(image, shape, change);
        const planeSize = shape.height * shape.width;
        const first = augmentImage(image.subarray(0, planeSize), { ...shape, channels: 1 }, change);
        expect(whole.subarray(0, planeSize)).toEqual(first);
      }),
    );
  });
});

test('normalises after the change, so that outside is (0 - mean) / std', () => {
  const normalized = normalizePixels([0, 255, 51], { mean: 0.5, std: 0.25 });
  expect(relativeError(normalized, Float64Array.of(-2, 2, -1.2))).toBeLessThan(1e-15);
});
