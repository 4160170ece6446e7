import { createDataset } from '@lockstep/core/data';
import { elementCount } from '@lockstep/core/model';
import { recipeSchema } from '@lockstep/core/spec';
import { describe, expect, it } from 'vitest';
import { augmentImage, drawChange, drawWords } from '../reference/augmentation.js';
import { randomImages } from '../reference/random-values.js';
import { TrainingInputs } from './training-inputs.js';

const IMAGES = 9;
const SEED = 2 ** 40 + 3;
/** As in augmentation.test.ts: positions are rounded to float32 four times. */
const TOLERANCE = 2 * 255 * 4 * 2 ** -19;

function makeDataset(channels: number, height: number, width: number) {
  const shape = { channels, height, width };
  const pixels = new Uint8Array(new SharedArrayBuffer(IMAGES * elementCount(shape)));
  pixels.set(randomImages(shape, IMAGES, 5));
  const split = { count: IMAGES, images: pixels, labels: new Uint8Array(new SharedArrayBuffer(IMAGES)).fill(1) };
  const none = { count: 0, images: new Uint8Array(0), labels: new Uint8Array(0) };
  const about = { name: 'noise', source: 'noise', classes: 3, mean: [0.3], std: [0.2] };
  return { shape, dataset: createDataset({ ...about, ...shape, train: split, validation: none, test: split }) };
}

describe('the inputs of training', () => {
  it.each([
    [1, 28, 28],
    [2, 9, 14],
  ])('are the augmented images of the seed, the epoch and the image: %dx%dx%d', (channels, height, width) => {
    const { shape, dataset } = makeDataset(channels, height, width);
    const recipe = recipeSchema.parse({
      augmentation: { rotation: 20, shift: 2, scale: 0.1, centerCrop: { size: 8, probability: 0.5 } },
      shardSize: 32,
    });
    const inputs = new TrainingInputs(dataset, recipe, SEED);
    for (const [epoch, index] of [
      [0, 0],
      [3, 7],
      [3, 8],
      [0, 7],
    ] as const) {
      const change = drawChange(drawWords(SEED, epoch, index), recipe.augmentation, width);
      const size = elementCount(shape);
      const expected = augmentImage(dataset.train.images.subarray(index * size, (index + 1) * size), shape, change);
      const drawn = inputs.draw(epoch, index);
      expect(Math.max(...drawn.map((value, i) => Math.abs(value - (expected[i] as number))))).toBeLessThan(TOLERANCE);
    }
  });

  it('are the images themselves where the recipe has no augmentation', () => {
    const { dataset } = makeDataset(1, 5, 6);
    const inputs = new TrainingInputs(dataset, recipeSchema.parse({}), SEED);
    expect([...inputs.draw(2, 4)]).toEqual([...dataset.train.images.subarray(4 * 30, 5 * 30)]);
  });
});
