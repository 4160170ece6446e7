import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeImages, makeLabels } from './mnist/test-mnist.js';
import { DataFolder } from './test-data-folder.js';
import { writeFiles } from './test-images.js';

let place: DataFolder;
beforeEach(() => {
  place = new DataFolder();
});
afterEach(() => {
  place.remove();
});

describe('what is no dataset', () => {
  it.each([
    [
      'nothing',
      () => rmSync(place.data, { recursive: true }),
      'LOCKSTEP_DATA_PATH: there is nothing at DIR. Give a folder with IDX files',
    ],
    ['an empty folder', () => {}, 'LOCKSTEP_DATA_PATH: DIR holds nothing, which is no dataset.'],
    [
      'a folder of other things',
      () => writeFiles(place.data, { 'a.txt': '' }),
      'LOCKSTEP_DATA_PATH: DIR holds a.txt, which is no dataset.',
    ],
    [
      'class folders of other pictures',
      () => {
        for (const name of ['a', 'b']) mkdirSync(join(place.data, name));
        writeFiles(place.data, { 'a/1.webp': '', 'a/2.webp': '', 'b/1.heic': '' });
      },
      'LOCKSTEP_DATA_PATH: DIR holds a, b, which is no dataset: no PNG or JPEG image in these folders, but 2 .webp, 1 .heic. Give',
    ],
    [
      'pictures without a folder for each class',
      () => writeFiles(place.data, { '1.JPG': '', '2.png': '' }),
      'LOCKSTEP_DATA_PATH: DIR holds 1.JPG, 2.png, which is no dataset: 2 images in it, and no folder for each class, whose name says what they show. Give',
    ],
    [
      'another file',
      () => {
        place.data = join(place.folder, 'x.zip');
        writeFileSync(place.data, '');
      },
      'LOCKSTEP_DATA_PATH: DIR is neither a folder nor a .csv or .npz file.',
    ],
  ])('is told: %s', async (_, make, text) => {
    make();
    await place.expectFailure(text);
  });
});

it('IDX files are read as they are, normalized as MNIST is', async () => {
  writeFiles(place.data, {
    'train-images-idx3-ubyte': makeImages(5),
    'train-labels-idx1-ubyte': makeLabels(5),
    't10k-images-idx3-ubyte': makeImages(2),
    't10k-labels-idx1-ubyte': makeLabels(2),
  });
  expect(await place.open()).toMatchObject({ classes: 10, height: 3, width: 2, mean: [0.1307] });
  expect(readdirSync(place.folder)).toEqual(['things']);
  const resized = await place.open({ resize: { height: 6, width: 5 } });
  expect(resized).toMatchObject({ height: 6, width: 5, mean: [0.1307], isResized: true, train: { count: 5 } });
});
