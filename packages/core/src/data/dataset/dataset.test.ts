import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { allocateSplit, createDataset, type Dataset } from './dataset.js';
import { holdOutValidation } from './hold-out.js';
import { makeDataset } from './test-dataset.js';

describe('allocateSplit', () => {
  it('puts images and labels over SharedArrayBuffers', () => {
    const split = allocateSplit(5, 12);
    expect(split.images.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(split.labels.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect([split.images.length, split.labels.length]).toEqual([60, 5]);
  });
});

describe('checksum', () => {
  it('is the SHA-256 of sizes, then images and labels of train, validation and test', () => {
    const { train, test, checksum } = makeDataset(3);
    const expected = createHash('sha256')
      .update('lockstep dataset 1 2 3 10 3 0 4\n')
      .update(Buffer.concat([train.images, train.labels, test.images, test.labels]))
      .digest('hex');
    expect(checksum).toBe(expected);
  });

  it('is the same for the same data under another name, source and notice', () => {
    expect(makeDataset(3, { name: 'other', source: 'elsewhere', notice: 'hm' }).checksum).toBe(makeDataset(3).checksum);
  });

  it.each<[string, (dataset: Dataset) => Dataset]>([
    ['one pixel of a training image', (dataset) => flip(dataset, dataset.train.images, 17)],
    ['one training label', (dataset) => flip(dataset, dataset.train.labels, 2)],
    ['one pixel of a test image', (dataset) => flip(dataset, dataset.test.images, 0)],
    ['one test label', (dataset) => flip(dataset, dataset.test.labels, 3)],
    ['height and width', (dataset) => createDataset({ ...dataset, height: 3, width: 2 })],
    ['the number of classes', (dataset) => createDataset({ ...dataset, classes: 11 })],
    ['what is held out', (dataset) => holdOutValidation(dataset, 1)],
  ])('changes with %s', (_, change) => {
    expect(change(makeDataset(3)).checksum).not.toBe(makeDataset(3).checksum);
  });

  function flip(dataset: Dataset, bytes: Uint8Array, index: number): Dataset {
    bytes[index] = (bytes[index] ?? 0) ^ 1;
    return createDataset(dataset);
  }
});

describe('createDataset', () => {
  it('refuses a split whose size does not fit the shape', () => {
    expect(() => makeDataset(3, { height: 5 })).toThrow('a split of 3 images of 15 bytes has 18 pixels and 3 labels');
  });
});
