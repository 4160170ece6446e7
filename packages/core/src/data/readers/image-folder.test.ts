import { readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { textOf } from '../../text/data-report-text.js';
import type { DataProgress } from '../data-options.js';
import type { Dataset, Split } from '../dataset/dataset.js';
import { DataFolder, makeGrey } from '../test-data-folder.js';
import { makeClassFiles, makeImage, makePlain, makePng, writeFiles } from '../test-images.js';

let place: DataFolder;
beforeEach(() => {
  place = new DataFolder();
});
afterEach(() => {
  place.remove();
});

/** The images of a split with their class names, as text that can be compared without order. */
function listImages({ classNames = [], channels, height, width }: Dataset, { count, images, labels }: Split): string[] {
  const bytes = channels * height * width;
  const one = (index: number): string =>
    Buffer.from(images.subarray(index * bytes, (index + 1) * bytes)).toString('hex');
  return Array.from({ length: count }, (_, index) => `${classNames[labels[index] as number]} ${one(index)}`).sort();
}

describe('a folder with a folder per class', () => {
  it('takes train and test, every image under its class', async () => {
    const train = makeClassFiles(['train/cat', 'train/dog'], 3, makeGrey);
    const test = makeClassFiles(['test/cat', 'test/dog'], 2, (index) => makeGrey(index + 100));
    writeFiles(place.data, { ...train, ...test });
    const dataset = await place.open();
    expect(dataset).toMatchObject({
      name: 'things',
      channels: 1,
      height: 4,
      width: 3,
      classes: 2,
      classNames: ['cat', 'dog'],
    });
    expect(dataset.source).toBe(`6 + 4 images from ${place.data}`);
    const hex = (index: number): string => Buffer.from(makeGrey(index).pixels).toString('hex');
    expect(listImages(dataset, dataset.train)).toEqual(
      [0, 1, 2]
        .map((i) => `cat ${hex(i)}`)
        .concat([3, 4, 5].map((i) => `dog ${hex(i)}`))
        .sort(),
    );
    expect(dataset.test.labels).toEqual(Uint8Array.of(0, 0, 1, 1));
    expect(dataset.heldOut).toBeUndefined();
  });

  it('holds out a tenth of every class when there is no test folder, or as many images as asked for', async () => {
    writeFiles(place.data, makeClassFiles(['a', 'b'], 20, makeGrey));
    const dataset = await place.open();
    expect([dataset.train.count, dataset.test.count, dataset.heldOut]).toEqual([36, 4, 4]);
    expect([...dataset.test.labels]).toEqual([0, 0, 1, 1]);
    const more = await place.open({ heldOut: 10 });
    expect([...more.test.labels].filter((label) => label === 1)).toHaveLength(5);
    expect(listImages(more, more.train).concat(listImages(more, more.test)).sort()).toEqual(
      listImages(dataset, dataset.train).concat(listImages(dataset, dataset.test)).sort(),
    );
  });

  it('mixes the training images, always in the same way', async () => {
    writeFiles(place.data, makeClassFiles(['a', 'b'], 30, makeGrey));
    const [one, two] = [await place.open(), await place.open({ cacheDirectory: join(place.folder, 'other') })];
    expect(new Set(one.train.labels.subarray(0, 10)).size).toBe(2);
    expect(two.checksum).toBe(one.checksum);
  });

  it.each([
    [
      ['2', '10', '0'],
      ['0', '2', '10'],
    ],
    [
      ['12', '230'],
      ['12', '230'],
    ],
    [
      ['30', '39', '31'],
      ['30', '31', '39'],
    ],
    [
      ['2', '0', '1'],
      ['0', '1', '2'],
    ],
    [
      ['1', '2'],
      ['1', '2'],
    ],
  ])('cases: data 25: folders %j are the classes %j, in the order of their numbers', async (folders, classNames) => {
    writeFiles(place.data, makeClassFiles(folders, 2, makeGrey));
    expect((await place.open()).classNames).toEqual(classNames);
  });

  it('gives all images three channels as soon as one has colours', async () => {
    const mixed = makeClassFiles(['a', 'b'], 4, (index) => (index === 5 ? makeImage(3, 4, 3) : makePlain(100, 4, 3)));
    writeFiles(place.data, mixed);
    const dataset = await place.open();
    expect(dataset.channels).toBe(3);
    expect(listImages(dataset, dataset.train)).toContain(`a ${'64'.repeat(36)}`);
    expect(dataset.mean).toHaveLength(3);
    expect((await place.open({ channels: 1 })).channels).toBe(1);
  });

  it('normalizes by the mean and deviation of the training images', async () => {
    writeFiles(place.data, {
      ...makeClassFiles(['train/a', 'train/b'], 1, (index) => makePlain(index === 0 ? 0 : 102, 2, 2)),
      ...makeClassFiles(['test/a', 'test/b'], 1, () => makePlain(255, 2, 2)),
    });
    const { mean, std } = await place.open();
    expect(mean[0]).toBeCloseTo(0.2, 12);
    expect(std[0]).toBeCloseTo(0.2, 12);
  });

  it('brings images of any size to one with resize', async () => {
    writeFiles(
      place.data,
      makeClassFiles(['a', 'b'], 3, (index) => makePlain(40 * index, 300, 10 + index)),
    );
    expect(await place.open({ resize: { height: 8, width: 6 } })).toMatchObject({ height: 8, width: 6 });
  });

  it('numbers classes as a model that knows them does', async () => {
    writeFiles(place.data, makeClassFiles(['b', 'c'], 5, makeGrey));
    expect(new Set((await place.open({ classNames: ['a', 'b', 'c'] })).train.labels)).toEqual(new Set([1, 2]));
    await place.expectFailure(
      'LOCKSTEP_DATA_CLASSES: DIR has the class c, which the model does not know: it knows a, b.',
      {
        classNames: ['a', 'b'],
      },
    );
  });

  it('reports how far it is', async () => {
    writeFiles(place.data, makeClassFiles(['a', 'b'], 40, makeGrey));
    const seen: DataProgress[] = [];
    await place.open({ onProgress: (progress) => seen.push(progress) });
    expect(seen).toContainEqual({ phase: 'checking', done: 80, total: 80 });
    expect(seen).toContainEqual({ phase: 'reading', done: 64, total: 80 });
  });

  it.each([
    [
      'images of two sizes',
      { 'b/x.png': makePng(makePlain(0, 5, 3)) },
      'LOCKSTEP_DATA_SHAPE: DIR/b/x.png has 5x3 pixels (height x width), DIR/a/0.png has 4x3. Give --resize',
    ],
    [
      'an image that is too large',
      { 'a/00.png': makePng(makePlain(0, 300, 3)) },
      'LOCKSTEP_DATA_SHAPE: DIR/a/00.png has 300x3 pixels (height x width), the limit is 256x256. Give --resize',
    ],
    [
      'a damaged image',
      { 'a/x.png': makePng(makeGrey(0)).subarray(0, 60) },
      'LOCKSTEP_DATA_IMAGE: DIR/a/x.png cannot be decoded: ',
    ],
    [
      'a WebP called .png',
      { 'a/x.png': 'RIFF....WEBPVP8 ' },
      'LOCKSTEP_DATA_IMAGE: DIR/a/x.png is a WebP image, expected a PNG, JPEG, BMP, GIF or TIFF image. Convert it',
    ],
    [
      'a class without images',
      { 'c/readme.txt': 'later' },
      'LOCKSTEP_DATA_CLASSES: the class folder DIR/c has no PNG, JPEG, BMP, GIF or TIFF images, but 1 .txt. Give a folder for each class',
    ],
    [
      'a train folder without images',
      { 'train/x.txt': '' },
      'LOCKSTEP_DATA_CLASSES: DIR/train has no folder with PNG, JPEG, BMP, GIF or TIFF images.',
    ],
  ])('names the file: %s', async (_, files, text) => {
    writeFiles(place.data, { ...makeClassFiles(['a', 'b'], 2, makeGrey), ...files });
    await place.expectFailure(text);
    expect(readdirSync(place.folder)).toEqual(['things']);
  });

  it('needs two classes, and at most 256', async () => {
    writeFiles(place.data, makeClassFiles(['only'], 3, makeGrey));
    await place.expectFailure('LOCKSTEP_DATA_CLASSES: DIR has one class, only. Give data of 2 to 256 classes.');
    writeFiles(
      place.data,
      makeClassFiles(
        Array.from({ length: 257 }, (_, index) => `c${index}`),
        1,
        makeGrey,
      ),
    );
    await place.expectFailure(
      'LOCKSTEP_DATA_CLASSES: DIR has 258 classes (c0, c1, c10, c100, c101, ...). Give data of 2 to 256 classes.',
    );
  });

  it('needs more images than are held out', async () => {
    writeFiles(place.data, makeClassFiles(['a', 'b'], 2, makeGrey));
    await place.expectFailure(
      'LOCKSTEP_DATA_VALIDATION: DIR has no test set, and of its 4 images 4 cannot be held out for one.',
      {
        heldOut: 4,
      },
    );
  });

  it('wants test images like the training images', async () => {
    writeFiles(place.data, {
      ...makeClassFiles(['train/a', 'train/b'], 1, makeGrey),
      ...makeClassFiles(['test/a'], 1, () => makePlain(0, 9, 9)),
    });
    await place.expectFailure(
      'LOCKSTEP_DATA_SHAPE: DIR has training images of 1x4x3 (channels x height x width), test images of 1x9x9.',
    );
  });
});

const parts = (...folders: readonly string[]) =>
  Object.assign(
    {},
    ...folders.map((folder, n) => makeClassFiles([`${folder}/a`, `${folder}/b`], n + 1, (i) => makeGrey(20 * n + i))),
  );

describe('the parts of a folder', () => {
  it.each([
    ['train', 'val'],
    ['Train', 'Test'],
    ['training', 'testing'],
    ['TRAIN', 'Validation'],
    ['train', 'valid'],
  ])('cases: data 24: %s and %s are training and test set', async (train, test) => {
    writeFiles(place.data, parts(train, test));
    const dataset = await place.open();
    expect([dataset.train.count, dataset.validation.count, dataset.test.count]).toEqual([2, 0, 4]);
    expect([dataset.heldOut, dataset.classNames]).toEqual([undefined, ['a', 'b']]);
    const told = /val/i.test(test) ? [`${place.data} has no test folder: ${test} is the test set`] : undefined;
    expect(dataset.notes?.map(textOf)).toEqual(told);
  });

  it('cases: data 24: val beside test is the validation set, from the cache too', async () => {
    writeFiles(place.data, parts('train', 'val', 'test'));
    const dataset = await place.open();
    expect([dataset.train.count, dataset.validation.count, dataset.test.count]).toEqual([2, 4, 6]);
    expect(await place.open()).toEqual(dataset);
  });

  it('tells which folders beside train are not read', async () => {
    writeFiles(place.data, parts('train', 'test', 'extra', 'Training'));
    expect((await place.open()).notes?.map(textOf)).toEqual(['not read, beside train: Training, extra']);
  });
});

describe('the files of a class', () => {
  it('cases: data 23: are those of the folders below it too', async () => {
    const files = makeClassFiles(['a', 'a/writer1', 'b/deep/er', 'b'], 2, makeGrey);
    writeFiles(place.data, { ...files, 'a/.hidden/x.png': 'no image' });
    symlinkSync('..', join(place.data, 'a/writer1/round'));
    const dataset = await place.open({ heldOut: 1 });
    expect([dataset.train.count + dataset.test.count, dataset.classNames]).toEqual([8, ['a', 'b']]);
  });

  it('cases: data 22: are no data where a table is, and they are no two classes', async () => {
    writeFiles(place.data, { ...makeClassFiles(['plots'], 3, makeGrey), 'docs/x.txt': 'x' });
    writeFileSync(join(place.data, 'train.csv'), 'a,1,2,3,4\nb,1,2,3,5\na,2,2,2,2\n');
    expect((await place.open()).source).toBe(`2 + 1 images from ${place.data}`);
  });
});
