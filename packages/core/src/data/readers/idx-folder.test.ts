import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
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
    expect((await loadIdxFolder(folder, 3)).classes).toBe(3);
  });

  it('names the first label that is out of range', async () => {
    writeFiles({ ...good, 'train-labels-idx1-ubyte': makeLabels(12, 11) });
    await expect(loadIdxFolder(folder, 10)).rejects.toThrow(
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
    mkdirSync(join(folder, 't10k-labels-idx1-ubyte'));
    await expect(loadIdxFolder(folder)).rejects.toThrow(
      `LOCKSTEP_DATA_READ: cannot read ${folder}/t10k-labels-idx1-ubyte (EISDIR). Check that it is a file and that you may read it.`,
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
