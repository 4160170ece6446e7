import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocateSplit, createDataset, type Dataset, holdOutValidation } from './dataset.js';

/** `trainCount` training images of 2x3, four for the test, in which every byte differs from its neighbours. */
function makeDataset(trainCount: number, change: Partial<Dataset> = {}): Dataset {
  const [train, test] = [trainCount, 4].map((count) => {
    const split = allocateSplit(count, 6);
    split.images.forEach((_, i) => {
      split.images[i] = (i * 31) % 253;
    });
    split.labels.forEach((_, i) => {
      split.labels[i] = i % 10;
    });
    return split;
  }) as [Dataset['train'], Dataset['test']];
  const shape = { channels: 1, height: 2, width: 3, classes: 10, mean: [0.5], std: [0.5] };
  return createDataset({
    name: 'made',
    source: 'test',
    ...shape,
    train,
    validation: allocateSplit(0, 6),
    test,
    ...change,
  });
}

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

describe('holdOutValidation', () => {
  it('cuts the training images into two views of the same memory, wherever it cuts', () => {
    const cut = fc
      .integer({ min: 2, max: 50 })
      .chain((n) => fc.tuple(fc.constant(n), fc.integer({ min: 1, max: n - 1 })));
    fc.assert(
      fc.property(cut, ([trainCount, count]) => {
        const before = makeDataset(trainCount);
        const { train, validation, test } = holdOutValidation(before, count);
        expect([train.count, validation.count]).toEqual([trainCount - count, count]);
        expect(Buffer.concat([train.images, validation.images])).toEqual(Buffer.from(before.train.images));
        expect(Buffer.concat([train.labels, validation.labels])).toEqual(Buffer.from(before.train.labels));
        expect(validation.images.buffer).toBe(before.train.images.buffer);
        expect(test).toBe(before.test);
      }),
    );
  });

  it('leaves the dataset as it is for 0', () => {
    const dataset = makeDataset(3);
    expect(holdOutValidation(dataset, 0)).toBe(dataset);
  });

  it.each([3, 4, -1, 1.5, Number.NaN])('refuses to hold out %d of 3 images', (count) => {
    expect(() => holdOutValidation(makeDataset(3), count)).toThrow(
      `LOCKSTEP_DATA_VALIDATION: cannot hold out ${count} of 3 training images for validation. Choose 0 to 2.`,
    );
  });

  it('refuses to hold out twice', () => {
    const once = holdOutValidation(makeDataset(5), 2);
    expect(() => holdOutValidation(once, 1)).toThrow('2 images are already held out');
  });
});
