import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { textOf } from '../../text/data-report-text.js';
import { makeImages, makeLabels } from '../mnist/test-mnist.js';
import { encodeIdxLabels, parseIdxImages } from './idx.js';
import { loadIdxFolder } from './idx-folder.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-idx-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const good: Record<string, Uint8Array> = {
  'train-images-idx3-ubyte': makeImages(12),
  'train-labels-idx1-ubyte': makeLabels(12),
  't10k-images-idx3-ubyte': makeImages(5),
  't10k-labels-idx1-ubyte': makeLabels(5),
};

function writeFiles(files: Record<string, Uint8Array>): void {
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
}

describe('loadIdxFolder', () => {
  it('loads any size and shape under MNIST names, normalized as MNIST, into shared memory', async () => {
    writeFiles(good);
    const dataset = await loadIdxFolder(folder);
    expect(dataset).toMatchObject({
      name: basename(folder),
      source: `12 + 5 images from ${folder}`,
      channels: 1,
      height: 3,
      width: 2,
      classes: 10,
      mean: [0.1307],
      std: [0.3081],
    });
    expect([dataset.train.count, dataset.validation.count, dataset.test.count]).toEqual([12, 0, 5]);
    const { pixels } = parseIdxImages(makeImages(12), 'images');
    expect(Buffer.from(dataset.train.images)).toEqual(Buffer.from(pixels));
    expect([...dataset.test.labels]).toEqual([0, 1, 2, 3, 4]);
    for (const { images, labels } of [dataset.train, dataset.validation, dataset.test]) {
      expect(images.buffer).toBeInstanceOf(SharedArrayBuffer);
      expect(labels.buffer).toBeInstanceOf(SharedArrayBuffer);
    }
    expect(dataset.notice).toBeUndefined();
  });

  const plainChecksum = async () => {
    writeFiles(good);
    return (await loadIdxFolder(folder)).checksum;
  };

  it.each<[string, (name: string) => string, (bytes: Uint8Array) => Uint8Array]>([
    ['names with a dot', (name) => name.replace('-idx', '.idx'), (bytes) => bytes],
    ['gzip files', (name) => `${name}.gz`, (bytes) => gzipSync(bytes)],
    ['gzip files without .gz, told by their content', (name) => name, (bytes) => gzipSync(bytes)],
    ['plain files with .gz, told by their content', (name) => `${name}.gz`, (bytes) => bytes],
    ['gzip files with a dot', (name) => `${name.replace('-idx', '.idx')}.gz`, (bytes) => gzipSync(bytes)],
  ])('gives the same dataset for %s', async (_, rename, pack) => {
    const expected = await plainChecksum();
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    writeFiles(Object.fromEntries(Object.entries(good).map(([name, bytes]) => [rename(name), pack(bytes)])));
    expect((await loadIdxFolder(folder)).checksum).toBe(expected);
  });

  it('loads images with channels from idx4 files, one pair of mean and std per channel', async () => {
    writeFiles({
      'train-images-idx4-ubyte': makeImages(12, 3),
      'train-labels-idx1-ubyte': makeLabels(12),
      't10k-images.idx4-ubyte': makeImages(5, 3),
      't10k-labels-idx1-ubyte': makeLabels(5),
    });
    const dataset = await loadIdxFolder(folder);
    expect(dataset).toMatchObject({ channels: 3, mean: [0.1307, 0.1307, 0.1307], std: [0.3081, 0.3081, 0.3081] });
  });

  it('has as many classes as the largest label of either split needs', async () => {
    writeFiles({ ...good, 't10k-labels-idx1-ubyte': encodeIdxLabels(Uint8Array.of(0, 1, 25, 3, 4)) });
    expect((await loadIdxFolder(folder)).classes).toBe(26);
  });

  it('has exactly the classes it is told', async () => {
    writeFiles({ ...good, 'train-labels-idx1-ubyte': makeLabels(12, 3), 't10k-labels-idx1-ubyte': makeLabels(5, 3) });
    expect((await loadIdxFolder(folder, { classes: 3 })).classes).toBe(3);
  });

  it('names the first label that is out of range', async () => {
    writeFiles({ ...good, 'train-labels-idx1-ubyte': makeLabels(12, 11) });
    await expect(loadIdxFolder(folder, { classes: 10 })).rejects.toThrow(
      `LOCKSTEP_DATA_LABEL: ${folder}/train-labels-idx1-ubyte: label 10 of image 10 (offset 18) is out of range 0..9. Use a model with more classes, or correct the label.`,
    );
  });

  it('names a folder that is not there', async () => {
    await expect(loadIdxFolder(`${folder}/none`)).rejects.toThrow(
      `LOCKSTEP_DATA_FOLDER: cannot read the data folder ${folder}/none (ENOENT). Give a folder with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, plain or .gz.`,
    );
  });

  it('names a file that is not there, and what it looked for', async () => {
    writeFiles(good);
    rmSync(join(folder, 't10k-labels-idx1-ubyte'));
    await expect(loadIdxFolder(folder)).rejects.toThrow(
      `LOCKSTEP_DATA_FILE: ${folder} has no t10k-labels file: looked for t10k-labels-idx1-ubyte, t10k-labels-idx1-ubyte.gz, t10k-labels.idx1-ubyte, t10k-labels.idx1-ubyte.gz. Give a folder`,
    );
  });

  it('names a file that cannot be read', async () => {
    writeFiles(good);
    rmSync(join(folder, 't10k-labels-idx1-ubyte'));
    symlinkSync('nowhere', join(folder, 't10k-labels-idx1-ubyte'));
    await expect(loadIdxFolder(folder)).rejects.toThrow(
      `LOCKSTEP_DATA_READ: cannot read ${folder}/t10k-labels-idx1-ubyte (ENOENT). Check that it is a file and that you may read it.`,
    );
  });

  const packed = gzipSync(makeImages(12));
  const flipped = Uint8Array.from(packed, (byte, i) => (i === packed.length - 8 ? byte ^ 1 : byte));

  it.each<[string, Record<string, Uint8Array>, string]>([
    [
      'images and labels swapped',
      { 'train-images-idx3-ubyte': makeLabels(12), 'train-labels-idx1-ubyte': makeImages(12) },
      '/train-images-idx3-ubyte starts with 0x00000801 (labels), expected 0x00000803 or 0x00000804 (images). Were images and labels swapped?',
    ],
    [
      'more images than labels',
      { 't10k-labels-idx1-ubyte': makeLabels(4) },
      '/t10k-images-idx3-ubyte has 5 images, FOLDER/t10k-labels-idx1-ubyte has 4 labels. Take both from the same dataset.',
    ],
    [
      'training and test images of different shapes',
      { 't10k-images-idx3-ubyte': makeImages(5, 1, 2, 3) },
      'LOCKSTEP_DATA_SHAPE: FOLDER/train-images-idx3-ubyte has images of 1x3x2 (channels x height x width), FOLDER/t10k-images-idx3-ubyte of 1x2x3. Take both from the same dataset.',
    ],
    [
      'a gzip file that ends too early',
      { 'train-images-idx3-ubyte': packed.subarray(0, 40) },
      'LOCKSTEP_DATA_GZIP: FOLDER/train-images-idx3-ubyte (40 bytes) cannot be unpacked: its gzip data ends too early. The file is damaged: download it again.',
    ],
    [
      'a gzip file with a flipped bit',
      { 'train-images-idx3-ubyte': flipped },
      `LOCKSTEP_DATA_GZIP: FOLDER/train-images-idx3-ubyte (${packed.length} bytes) cannot be unpacked: incorrect data check.`,
    ],
  ])('names the files when it finds %s', async (_, files, text) => {
    writeFiles({ ...good, ...files });
    await expect(loadIdxFolder(folder)).rejects.toThrow(text.replaceAll('FOLDER', folder));
  });
});

/** The four files under other names: words before the part, and the test part's word. */
const named = (set: string, testWord = 't10k', folderName = ''): Record<string, Uint8Array> =>
  Object.fromEntries(
    Object.entries(good).map(([name, bytes]) => [join(folderName, `${set}${name.replace('t10k', testWord)}`), bytes]),
  );

describe('the names and places of IDX files', () => {
  const plain = async () => {
    writeFiles(named('', 't10k', 'plain'));
    return (await loadIdxFolder(join(folder, 'plain'))).checksum;
  };

  it.each([
    [
      'beside the files',
      Object.fromEntries(
        Object.entries(good).flatMap(([name, bytes]) => [
          [name.replace('-idx', '.idx'), bytes],
          [join(name, name), makeLabels(1)],
        ]),
      ),
    ],
    [
      'around the files',
      Object.fromEntries(
        Object.entries(good).map(([name, bytes]) => [join(name, name.replace('-idx', '.idx')), bytes]),
      ),
    ],
  ])('cases: data 31: folders named like files are no files: %s', async (_, files) => {
    writeFiles(Object.fromEntries(Object.entries(files).map(([name, bytes]) => [join('data', name), bytes])));
    const dataset = await loadIdxFolder(join(folder, 'data'));
    expect([dataset.checksum, dataset.notes]).toEqual([await plain(), undefined]);
  });

  it.each([
    ['test-...', named('', 'test', 'data')],
    ['emnist-letters-...', named('emnist-letters-', 'test', 'data')],
    ['qmnist-...', named('qmnist-', 'test', 'data')],
    ['k49-...', named('k49-', 'testing', 'data')],
    ['MNIST/raw', named('', 't10k', 'data/MNIST/raw')],
    ['raw', named('', 't10k', 'data/raw')],
    ['gzip', named('emnist-digits-', 'test', 'data/gzip')],
    ['names of two kinds', { ...named('', 't10k', 'data'), ...renameLabels('data') }],
  ])('cases: data 32: are known: %s', async (name, files) => {
    writeFiles(files);
    const dataset = await loadIdxFolder(join(folder, 'data'));
    expect(dataset.checksum).toBe(await plain());
    const inner = /raw|gzip/.test(name);
    expect(dataset.notes?.some(({ text }) => text.startsWith('the IDX files are those in ')) ?? false).toBe(inner);
    const isTransposed =
      dataset.notes?.some(({ text }) => text.startsWith('EMNIST stores its images with rows')) ?? false;
    expect(isTransposed).toBe(/emnist|gzip/.test(name));
  });

  function renameLabels(place: string): Record<string, Uint8Array> {
    return { [join(place, 'qmnist-train-labels-idx1-ubyte')]: makeLabels(12) };
  }

  it('cases: data 32: of several datasets one is asked for, by one of its files', async () => {
    writeFiles({ ...named('emnist-digits-', 'test', 'data'), ...named('emnist-letters-', 'test', 'data') });
    writeFiles({ 'data/emnist-letters-train-labels-idx1-ubyte': makeLabels(12, 3) });
    const data = join(folder, 'data');
    await expect(loadIdxFolder(data)).rejects.toThrow(
      `LOCKSTEP_DATA_FILE: ${data} has IDX files of more than one dataset: emnist-digits, emnist-letters. Give a file of the one that is meant, such as --data ${data}/emnist-digits-train-images-idx3-ubyte.`,
    );
    const { train } = await loadIdxFolder(join(data, 'emnist-letters-train-images-idx3-ubyte'));
    expect([...train.labels]).toEqual([...makeLabels(12, 3).subarray(8)]);
  });

  it('cases: data 32: IDX files in several folders below are not chosen from', async () => {
    writeFiles({ ...named('', 't10k', 'data/MNIST/raw'), ...named('', 't10k', 'data/KMNIST/raw') });
    await expect(loadIdxFolder(join(folder, 'data'))).rejects.toThrow(
      `LOCKSTEP_DATA_FILE: ${folder}/data has IDX files in ${folder}/data/KMNIST/raw, ${folder}/data/MNIST/raw. Give one of these folders.`,
    );
  });

  it('cases: data 32: labels that count from 1 are told', async () => {
    const labels = encodeIdxLabels(Uint8Array.from({ length: 12 }, (_, i) => 1 + (i % 26)));
    writeFiles({ ...good, 'train-labels-idx1-ubyte': labels });
    expect((await loadIdxFolder(folder)).notes?.map(textOf)).toEqual([
      `the labels of ${folder}/train-labels-idx1-ubyte are 1 to 12: no image is of class 0, which the model has all the same`,
    ]);
  });

  const qmnist = (labels: readonly number[], columns: number): Uint8Array => {
    const bytes = Buffer.alloc(12 + 4 * columns * labels.length);
    bytes.writeUInt32BE(0xc02, 0);
    bytes.writeUInt32BE(labels.length, 4);
    bytes.writeUInt32BE(columns, 8);
    labels.forEach((label, i) => {
      for (let c = 0; c < columns; c++) bytes.writeInt32BE(c === 0 ? label : 7000 + c, 12 + 4 * (columns * i + c));
    });
    return bytes;
  };

  it.each([8, 5, 1])("cases: data 32: QMNIST's labels are the first of %i columns of int32", async (columns) => {
    const { 'train-labels-idx1-ubyte': _, ...others } = good;
    const labels = Array.from({ length: 12 }, (_, i) => i % 10);
    writeFiles({ ...others, 'qmnist-train-labels-idx2-int.gz': gzipSync(qmnist(labels, columns)) });
    const { train, notes } = await loadIdxFolder(folder);
    expect([...train.labels]).toEqual(labels);
    const told = `the labels of ${folder}/qmnist-train-labels-idx2-int.gz are the first of its ${columns} columns`;
    expect(notes?.map(textOf)).toEqual(columns === 1 ? undefined : [told]);
  });

  it('names a label of int32 that is no class, and a file of them that was cut', async () => {
    writeFiles({ ...good, 'train-labels-idx1-ubyte': qmnist([...new Array(11).fill(1), 300], 8) });
    await expect(loadIdxFolder(folder)).rejects.toThrow(
      `LOCKSTEP_DATA_LABEL: ${folder}/train-labels-idx1-ubyte: label 300 of image 11 is out of range 0..255.`,
    );
    writeFiles({ 'train-labels-idx1-ubyte': qmnist(new Array(12).fill(1), 8).subarray(0, 200) });
    await expect(loadIdxFolder(folder)).rejects.toThrow('its header says 12x8 labels, 384 bytes from offset 12');
  });

  it('cases: data 32: without test files the last tenth of each class is held out, or as many as are asked for', async () => {
    const [images, labels] = [makeImages(40), makeLabels(40, 4)];
    writeFiles({ 'train-images-idx3-ubyte': images, 'train-labels-idx1-ubyte': labels });
    const { train, test, heldOut } = await loadIdxFolder(folder);
    expect([train.count, [...test.labels], heldOut]).toEqual([36, [0, 1, 2, 3], 4]);
    const { pixels } = parseIdxImages(images, 'images');
    expect(Buffer.from(test.images)).toEqual(Buffer.from(pixels.subarray(36 * 6)));
    const more = await loadIdxFolder(folder, { heldOut: 8 });
    expect([more.train.count, more.test.count]).toEqual([32, 8]);
    await expect(loadIdxFolder(folder, { heldOut: 40 })).rejects.toThrow('LOCKSTEP_DATA_VALIDATION: ');
  });

  it('val is the validation set, or the test set where there is none', async () => {
    const val = { 'val-images-idx3-ubyte': makeImages(5), 'val-labels-idx1-ubyte': makeLabels(5, 3) };
    writeFiles({ ...good, ...val });
    const all = await loadIdxFolder(folder);
    expect([all.validation.count, [...all.validation.labels], all.test.count]).toEqual([5, [0, 1, 2, 0, 1], 5]);
    for (const name of ['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte']) rmSync(join(folder, name));
    const without = await loadIdxFolder(folder);
    expect([without.validation.count, [...without.test.labels]]).toEqual([0, [0, 1, 2, 0, 1]]);
    expect(without.notes?.map(textOf)).toEqual([`${folder} has no test files: val is the test set`]);
  });
});

it('cases: peers 18: a packed file is not unpacked beyond what its header says', async () => {
  const claimed = makeImages(12).length;
  const long = gzipSync(Buffer.concat([makeImages(12), Buffer.alloc(1 << 20)]));
  writeFiles({ ...good, 'train-images-idx3-ubyte': long });
  await expect(loadIdxFolder(folder)).rejects.toThrow(
    new RegExp(`LOCKSTEP_DATA_GZIP: .*it holds more than ${claimed + (1 << 16)} bytes`),
  );
  writeFiles({ 'train-images-idx3-ubyte': gzipSync(Buffer.alloc(1 << 20, 'no header ')) });
  await expect(loadIdxFolder(folder)).rejects.toThrow('LOCKSTEP_DATA_MAGIC');
});
