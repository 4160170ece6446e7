import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { textOf } from '../../text/data-report-text.js';
import { DataFolder } from '../test-data-folder.js';
import { writeFiles } from '../test-images.js';
import { bytesArray, makeNpz } from './test-arrays.js';

const COUNT = 20;
const images = bytesArray(
  [COUNT, 2, 2],
  Array.from({ length: 4 * COUNT }, (_, i) => i),
);
const labels = bytesArray(
  [COUNT],
  Array.from({ length: COUNT }, (_, i) => i % 2),
);
const [imagesFile, labelsFile] = [makeNpz({ arr_0: images }), makeNpz({ arr_0: labels })];

let place: DataFolder;
beforeEach(() => {
  place = new DataFolder();
});
afterEach(() => place.remove());

const open = (name: string) => {
  place.data = join(place.folder, 'things', name);
  return place.open();
};

describe('the files of an array dataset', () => {
  it.each([
    ['imgs.npz', 'labels.npz'],
    ['arr-imgs.npz', 'arr-labels.npz'],
    ['kmnist-train-imgs.npz', 'kmnist-train-labels.npz'],
    ['X_train.npz', 'y_train.npz'],
  ])('cases: data 14: %s goes with %s beside it', async (imagesName, labelsName) => {
    const others = { 'other-labels.npz': Buffer.from('PK'), 'kmnist-test-labels.npz': Buffer.from('PK') };
    writeFiles(place.data, { [imagesName]: imagesFile, [labelsName]: labelsFile, ...others });
    const dataset = await open(imagesName);
    expect([dataset.train.count, dataset.heldOut]).toEqual([18, 2]);
    expect(dataset.notes?.map(textOf)[0]).toBe(
      `arrays read: training images arr_0 of ${imagesName} with labels arr_0 of ${labelsName}`,
    );
    expect((await open(imagesName)).checksum).toBe(dataset.checksum);
  });

  it('are all of a folder, .npz or .npy', async () => {
    writeFiles(place.data, {
      'train-imgs.npz': imagesFile,
      'train-labels.npy': labels,
      'test-imgs.npy': images,
      'test-labels.npz': labelsFile,
    });
    const { train, test, heldOut } = await place.open();
    expect([train.count, test.count, heldOut]).toEqual([COUNT, COUNT, undefined]);
  });

  it('are the only one of a folder, whatever its name says', async () => {
    writeFiles(place.data, { 'mnist_test.npz': makeNpz({ x: images, y: labels }) });
    expect((await place.open()).train.count).toBe(18);
  });

  it('with images alone are refused, and it is said where labels are looked for', async () => {
    writeFiles(place.data, { 'train-imgs.npz': imagesFile, 'other-labels.npz': labelsFile });
    await expect(open('train-imgs.npz')).rejects.toThrow(
      /holds arr_0, expected .* Labels may also be in a file beside it, named as it is but for labels instead of images\./,
    );
  });

  it('are read anew when the one with labels has changed', async () => {
    writeFiles(place.data, { 'imgs.npz': imagesFile, 'labels.npz': labelsFile });
    const before = await open('imgs.npz');
    writeFiles(join(place.folder, 'things'), {
      'labels.npz': makeNpz({ arr_0: bytesArray([COUNT], [...before.train.labels, 2, 2]) }),
    });
    expect((await open('imgs.npz')).classNames).toEqual(['0', '1', '2']);
  });
});

describe('the scales of the parts of a dataset', () => {
  it('cases: data 16: are told where the two largest values differ by more than sixteen, and read as they are: a test set may be meant to be dim, and the training is right', async () => {
    const binary = bytesArray(
      [COUNT, 2, 2],
      Array.from({ length: 4 * COUNT }, (_, i) => i % 2),
    );
    const levels = (most: number) =>
      bytesArray(
        [COUNT, 2, 2],
        Array.from({ length: 4 * COUNT }, (_, i) => (i * most) / (4 * COUNT - 1)),
      );
    const tell = async (train: Uint8Array, test: Uint8Array) => {
      writeFiles(place.folder, { 'a.npz': makeNpz({ x_train: train, y_train: labels, x_test: test, y_test: labels }) });
      place.data = join(place.folder, 'a.npz');
      return (await place.open()).notes?.map(textOf).filter((note) => note.includes('scales'));
    };
    expect(await tell(levels(240), binary)).toEqual([
      'the largest pixel of the training images is 240, of the test images 1: they look like two scales. Bring both to one, or nothing that is said of the test images means anything',
    ]);
    expect([...new Set((await place.open()).test.images)]).toEqual([0, 1]);
    expect(await tell(binary, levels(240))).toHaveLength(1);
    expect(await tell(levels(240), levels(15))).toEqual([]);
    expect(await tell(levels(241), levels(15))).toHaveLength(1);
  });
});
