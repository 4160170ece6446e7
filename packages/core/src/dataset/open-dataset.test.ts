import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Dataset, Split } from './dataset.js';
import { type DataOptions, type DataProgress, openDataset } from './open-dataset.js';
import { makeClassFiles, makeImage, makePlain, makePng, writeFiles } from './test-images.js';
import { makeImages, makeLabels } from './test-mnist.js';

let folder: string;
let data: string;
let warnings: string[];
let options: DataOptions;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-data-'));
  data = join(folder, 'things');
  mkdirSync(data);
  warnings = [];
  options = {
    cacheDirectory: join(folder, 'cache'),
    onWarning: ({ code, message }) => warnings.push(`${code}: ${message}`),
  };
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const open = (more: DataOptions = {}): Promise<Dataset> => openDataset(data, { ...options, ...more });

const grey = (index: number) => makeImage(1, 4, 3, index);

/** The images of a split with their class names, as text that can be compared without order. */
function listImages({ classNames = [], channels, height, width }: Dataset, { count, images, labels }: Split): string[] {
  const bytes = channels * height * width;
  const one = (index: number): string =>
    Buffer.from(images.subarray(index * bytes, (index + 1) * bytes)).toString('hex');
  return Array.from({ length: count }, (_, index) => `${classNames[labels[index] as number]} ${one(index)}`).sort();
}

const fails = (text: string, more: DataOptions = {}) =>
  expect(open(more)).rejects.toThrow(text.replaceAll('DIR', data));

describe('a folder with a folder per class', () => {
  it('takes train and test, every image under its class', async () => {
    const train = makeClassFiles(['train/cat', 'train/dog'], 3, grey);
    const test = makeClassFiles(['test/cat', 'test/dog'], 2, (index) => grey(index + 100));
    writeFiles(data, { ...train, ...test });
    const dataset = await open();
    expect(dataset).toMatchObject({
      name: 'things',
      channels: 1,
      height: 4,
      width: 3,
      classes: 2,
      classNames: ['cat', 'dog'],
    });
    expect(dataset.source).toBe(`6 + 4 images from ${data}`);
    const hex = (index: number): string => Buffer.from(grey(index).pixels).toString('hex');
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
    writeFiles(data, makeClassFiles(['a', 'b'], 20, grey));
    const dataset = await open();
    expect([dataset.train.count, dataset.test.count, dataset.heldOut]).toEqual([36, 4, 4]);
    expect([...dataset.test.labels]).toEqual([0, 0, 1, 1]);
    const more = await open({ heldOut: 10 });
    expect([...more.test.labels].filter((label) => label === 1)).toHaveLength(5);
    expect(listImages(more, more.train).concat(listImages(more, more.test)).sort()).toEqual(
      listImages(dataset, dataset.train).concat(listImages(dataset, dataset.test)).sort(),
    );
  });

  it('mixes the training images, always in the same way', async () => {
    writeFiles(data, makeClassFiles(['a', 'b'], 30, grey));
    const [one, two] = [await open(), await open({ cacheDirectory: join(folder, 'other') })];
    expect(new Set(one.train.labels.subarray(0, 10)).size).toBe(2);
    expect(two.checksum).toBe(one.checksum);
  });

  it('numbers classes by value when their names are numbers', async () => {
    writeFiles(data, makeClassFiles(['2', '10', '0'], 2, grey));
    expect((await open()).classNames).toEqual(Array.from({ length: 11 }, (_, index) => String(index)));
  });

  it('gives all images three channels as soon as one has colours', async () => {
    const mixed = makeClassFiles(['a', 'b'], 4, (index) => (index === 5 ? makeImage(3, 4, 3) : makePlain(100, 4, 3)));
    writeFiles(data, mixed);
    const dataset = await open();
    expect(dataset.channels).toBe(3);
    expect(listImages(dataset, dataset.train)).toContain(`a ${'64'.repeat(36)}`);
    expect(dataset.mean).toHaveLength(3);
    expect((await open({ channels: 1 })).channels).toBe(1);
  });

  it('normalizes by the mean and deviation of the training images', async () => {
    writeFiles(data, {
      ...makeClassFiles(['train/a', 'train/b'], 1, (index) => makePlain(index === 0 ? 0 : 102, 2, 2)),
      ...makeClassFiles(['test/a', 'test/b'], 1, () => makePlain(255, 2, 2)),
    });
    const { mean, std } = await open();
    expect(mean[0]).toBeCloseTo(0.2, 12);
    expect(std[0]).toBeCloseTo(0.2, 12);
  });

  it('brings images of any size to one with resize', async () => {
    writeFiles(
      data,
      makeClassFiles(['a', 'b'], 3, (index) => makePlain(40 * index, 300, 10 + index)),
    );
    expect(await open({ resize: { height: 8, width: 6 } })).toMatchObject({ height: 8, width: 6 });
  });

  it('numbers classes as a model that knows them does', async () => {
    writeFiles(data, makeClassFiles(['b', 'c'], 5, grey));
    expect(new Set((await open({ classNames: ['a', 'b', 'c'] })).train.labels)).toEqual(new Set([1, 2]));
    await fails('LOCKSTEP_DATA_CLASSES: DIR has the class c, which the model does not know: it knows a, b.', {
      classNames: ['a', 'b'],
    });
  });

  it('reports how far it is', async () => {
    writeFiles(data, makeClassFiles(['a', 'b'], 40, grey));
    const seen: DataProgress[] = [];
    await open({ onProgress: (progress) => seen.push(progress) });
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
      { 'a/x.png': makePng(grey(0)).subarray(0, 60) },
      'LOCKSTEP_DATA_IMAGE: DIR/a/x.png cannot be decoded: ',
    ],
    [
      'a GIF called .png',
      { 'a/x.png': 'GIF89a' },
      'LOCKSTEP_DATA_IMAGE: DIR/a/x.png is a GIF, expected a PNG or JPEG image.',
    ],
    [
      'a class without images',
      { 'c/readme.txt': 'later' },
      'LOCKSTEP_DATA_CLASSES: the class folder DIR/c has no PNG or JPEG images. Give a folder for each class',
    ],
    [
      'a train folder without images',
      { 'train/x.txt': '' },
      'LOCKSTEP_DATA_CLASSES: DIR/train has no folder with PNG or JPEG images.',
    ],
  ])('names the file: %s', async (_, files, text) => {
    writeFiles(data, { ...makeClassFiles(['a', 'b'], 2, grey), ...files });
    await fails(text);
    expect(readdirSync(folder)).toEqual(['things']);
  });

  it('needs two classes, and at most 256', async () => {
    writeFiles(data, makeClassFiles(['only'], 3, grey));
    await fails('LOCKSTEP_DATA_CLASSES: DIR has one class, only. Give data of 2 to 256 classes.');
    writeFiles(
      data,
      makeClassFiles(
        Array.from({ length: 257 }, (_, index) => `c${index}`),
        1,
        grey,
      ),
    );
    await fails(
      'LOCKSTEP_DATA_CLASSES: DIR has 258 classes (c0, c1, c10, c100, c101, ...). Give data of 2 to 256 classes.',
    );
  });

  it('needs more images than are held out', async () => {
    writeFiles(data, makeClassFiles(['a', 'b'], 2, grey));
    await fails('LOCKSTEP_DATA_VALIDATION: DIR has no test set, and of its 4 images 4 cannot be held out for one.', {
      heldOut: 4,
    });
  });

  it('wants test images like the training images', async () => {
    writeFiles(data, {
      ...makeClassFiles(['train/a', 'train/b'], 1, grey),
      ...makeClassFiles(['test/a'], 1, () => makePlain(0, 9, 9)),
    });
    await fails(
      'LOCKSTEP_DATA_SHAPE: DIR has training images of 1x4x3 (channels x height x width), test images of 1x9x9.',
    );
  });
});

describe('the cache', () => {
  const cached = (): string => join(folder, 'cache/data', readdirSync(join(folder, 'cache/data'))[0] as string);

  beforeEach(() => {
    writeFiles(data, makeClassFiles(['a', 'b'], 15, grey));
  });

  it('gives the same dataset the second time, without reading the images again', async () => {
    const first = await open();
    const phases: string[] = [];
    const second = await open({ onProgress: ({ phase }) => phases.push(phase) });
    expect(second).toEqual(first);
    expect(new Set(phases)).toEqual(new Set(['checking']));
    expect(warnings).toEqual([]);
  });

  it('does not outlive a change of a file', async () => {
    const first = await open();
    writeFiles(data, { 'a/0.png': makePng(makePlain(1, 4, 3)) });
    const second = await open();
    expect(second.checksum).not.toBe(first.checksum);
    expect(readdirSync(join(folder, 'cache/data'))).toHaveLength(2);
  });

  it('is written anew when it is damaged, with a warning', async () => {
    const first = await open();
    const path = join(cached(), 'train-images-ubyte');
    const bytes = readFileSync(path);
    bytes[40] = (bytes[40] as number) ^ 1;
    writeFileSync(path, bytes);
    expect(await open()).toEqual(first);
    expect(warnings).toEqual([
      `LOCKSTEP_DATA_CACHE: ${cached()} does not have the checksum that it was written with; it is written anew.`,
    ]);
    writeFileSync(path, bytes.subarray(0, 100));
    expect(await open()).toEqual(first);
    expect(warnings[1]).toMatch(/^LOCKSTEP_DATA_CACHE: the cached data in .* cannot be used \(LOCKSTEP_DATA_SIZE: /);
    expect(await open()).toEqual(first);
    expect(warnings).toHaveLength(2);
  });

  it('costs a warning when it cannot be written', async () => {
    writeFileSync(join(folder, 'cache'), 'a file');
    expect((await open()).train.count).toBe(27);
    expect(warnings).toEqual([
      expect.stringMatching(/^LOCKSTEP_DATA_CACHE: the data cannot be kept in .*(EEXIST|ENOTDIR)/),
    ]);
  });
});

describe('a CSV file', () => {
  const csv = (text: string, name = 'things.csv'): void => {
    data = join(folder, name);
    writeFileSync(data, text);
  };
  /** Rows of 2x2 pixels after the label. */
  const rows = (...labels: (string | number)[]): string =>
    labels.map((label, index) => `${label},${index},0,255,${(index * 50) % 256}`).join('\n');

  it('takes labels from the first column and square images from the others', async () => {
    csv(`${rows(3, 0, 1)}\n`);
    const dataset = await open({ heldOut: 1 });
    expect(dataset).toMatchObject({ channels: 1, height: 2, width: 2, classNames: ['0', '1', '2', '3'] });
    expect([...dataset.test.images, ...dataset.test.labels]).toEqual([2, 0, 255, 100, 1]);
  });

  it('takes the column called label, or the one that is named, and texts as classes', async () => {
    csv('p1;p2;label;p3;p4\n1;2;cat;3;4\r\n5;6;"dog; big";7;8\r\n\r\n');
    const dataset = await open({ heldOut: 1 });
    expect(dataset.classNames).toEqual(['cat', 'dog; big']);
    expect([...dataset.test.images]).toEqual([5, 6, 7, 8]);
    csv('id,p1,p2,p3,p4\nx,1,2,3,4\ny,5,6,7,8\n');
    expect((await open({ labelColumn: 'id', heldOut: 1 })).classNames).toEqual(['x', 'y']);
  });

  it('reads RGB plane by plane, and other forms when told', async () => {
    csv(Array.from({ length: 4 }, (_, row) => [row % 2, ...Array.from({ length: 12 }, (_, i) => i)].join()).join('\n'));
    expect(await open()).toMatchObject({ channels: 3, height: 2, width: 2 });
    expect(await open({ csvShape: { channels: 1, height: 3, width: 4 } })).toMatchObject({
      channels: 1,
      height: 3,
      width: 4,
    });
  });

  it('reads a folder with train and test tables, packed or not', async () => {
    writeFiles(data, { 'mnist_train.csv': rows(0, 1, 2), 'mnist_test.csv.gz': gzipSync(rows(1, 0)) });
    const dataset = await open();
    expect([dataset.train.count, dataset.test.count, dataset.name]).toEqual([3, 2, 'things']);
    expect([...dataset.test.labels]).toEqual([1, 0]);
  });

  it.each([
    [
      'a cell that is no number',
      `${rows(0, 1)}\n1,2,x,4,5`,
      'LOCKSTEP_DATA_CSV: DIR, row 3, column 3: "x" is not a pixel, a whole number from 0 to 255. Expected a row per image: its label, then its pixels.',
    ],
    [
      'a pixel above 255',
      'label,a,b,c,d\n1,2,3,4,256',
      'LOCKSTEP_DATA_CSV: DIR, row 2, column 5 (d): "256" is not a pixel',
    ],
    ['an empty cell', `${rows(0)}\n1,2,,4,5`, 'LOCKSTEP_DATA_CSV: DIR, row 2, column 3: "" is not a pixel'],
    [
      'a row that is too short',
      `${rows(0)}\n\n1,2,3`,
      'LOCKSTEP_DATA_CSV: DIR, row 3: it has 3 columns, the first row has 5.',
    ],
    ['an empty label', `${rows(0)}\n,2,3,4,5`, 'LOCKSTEP_DATA_CSV: DIR, row 2: the label is empty.'],
    [
      'columns that make no image',
      '0,1,2\n1,2,3',
      'LOCKSTEP_DATA_CSV: DIR has 2 columns of pixels, which is neither a square nor three squares. Give --csv-shape',
    ],
    ['a file without rows', 'label,a,b,c,d\n', 'LOCKSTEP_DATA_CSV: DIR has no rows of pixels.'],
    ['an empty file', '', 'LOCKSTEP_DATA_CSV: DIR has no rows of pixels.'],
  ])('names the row: %s', async (_, text, message) => {
    csv(text);
    await fails(message);
  });

  it('names the columns when the one for labels is not there', async () => {
    csv('a,b,c,d,e\n1,2,3,4,5');
    await fails('LOCKSTEP_DATA_CSV: DIR has no column "digit": it has a, b, c, d, ...', { labelColumn: 'digit' });
    csv(rows(0, 1));
    await fails('LOCKSTEP_DATA_CSV: DIR has no column "digit": its first row has no names', { labelColumn: 'digit' });
  });

  it('names a packed table that is damaged', async () => {
    data = join(folder, 'things.csv.gz');
    writeFileSync(data, gzipSync(rows(...Array.from({ length: 200 }, (_, i) => i % 3))).subarray(0, 60));
    await fails('LOCKSTEP_DATA_GZIP: DIR cannot be unpacked: ');
  });
});

describe('what is no dataset', () => {
  it.each([
    [
      'nothing',
      () => rmSync(data, { recursive: true }),
      'LOCKSTEP_DATA_PATH: there is nothing at DIR. Give a folder with IDX files',
    ],
    ['an empty folder', () => {}, 'LOCKSTEP_DATA_PATH: DIR holds nothing, which is no dataset.'],
    [
      'a folder of other things',
      () => writeFiles(data, { 'a.txt': '' }),
      'LOCKSTEP_DATA_PATH: DIR holds a.txt, which is no dataset.',
    ],
    [
      'another file',
      () => {
        data = join(folder, 'x.zip');
        writeFileSync(data, '');
      },
      'LOCKSTEP_DATA_PATH: DIR is neither a folder nor a .csv or .npz file.',
    ],
  ])('is told: %s', async (_, make, text) => {
    make();
    await fails(text);
  });
});

it('IDX files are read as they are, normalized as MNIST is', async () => {
  writeFiles(data, {
    'train-images-idx3-ubyte': makeImages(5),
    'train-labels-idx1-ubyte': makeLabels(5),
    't10k-images-idx3-ubyte': makeImages(2),
    't10k-labels-idx1-ubyte': makeLabels(2),
  });
  expect(await open()).toMatchObject({ classes: 10, height: 3, width: 2, mean: [0.1307] });
  expect(readdirSync(folder)).toEqual(['things']);
  const resized = await open({ resize: { height: 6, width: 5 } });
  expect(resized).toMatchObject({ height: 6, width: 5, mean: [0.1307], isResized: true, train: { count: 5 } });
});
