import { describe, expect, it } from 'vitest';
import { type ArrayDatasetOptions, createArrayDataset } from './array-dataset.js';

const base: ArrayDatasetOptions = {
  channels: 1,
  height: 1,
  width: 2,
  classes: 3,
  train: { images: Uint8Array.of(0, 255, 255, 0), labels: [0, 2] },
  test: { images: Uint8Array.of(1, 2), labels: Uint8Array.of(1) },
};

describe('createArrayDataset', () => {
  it('copies the arrays into shared memory and normalizes by the training images', () => {
    const dataset = createArrayDataset(base);
    expect(dataset).toMatchObject({ classes: 3, mean: [0.5], std: [0.5], source: '2 + 1 images from arrays' });
    expect([...dataset.train.images]).toEqual([0, 255, 255, 0]);
    expect([...dataset.train.labels]).toEqual([0, 2]);
    expect(dataset.train.images.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(dataset.validation.count).toBe(0);
  });

  it('takes validation images, names and a normalization', () => {
    const validation = { images: Uint8Array.of(9, 9, 8, 8), labels: [0, 1] };
    const dataset = createArrayDataset({
      ...base,
      validation,
      classNames: ['a', 'b', 'c'],
      mean: [0],
      std: [1],
      name: 'mine',
    });
    expect(dataset).toMatchObject({
      name: 'mine',
      classNames: ['a', 'b', 'c'],
      mean: [0],
      std: [1],
      validation: { count: 2 },
    });
  });

  it.each<[Partial<ArrayDatasetOptions>, string]>([
    [
      { train: { images: new Uint8Array(5), labels: [0, 1] } },
      'train has 2 labels and 5 bytes of images; 2 images of 1x1x2 take 4',
    ],
    [{ test: { images: new Uint8Array(0), labels: [] } }, 'test has no labels'],
    [{ test: { images: new Uint8Array(4), labels: [0, 3] } }, 'label 1 of test is 3; with 3 classes labels are 0 to 2'],
    [
      { train: { images: new Uint8Array(2), labels: [0.5] } },
      'label 0 of train is 0.5; with 3 classes labels are 0 to 2',
    ],
    [{ classNames: ['a'] }, 'there is 1 class name for 3 classes'],
  ])('rejects %j', (change, text) => {
    expect(() => createArrayDataset({ ...base, ...change })).toThrow(
      `LOCKSTEP_DATA_ARRAYS: the arrays do not make a dataset: ${text}.`,
    );
  });
});
