import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Dataset, Split } from '../dataset/dataset.js';
import { loadIdxFolder } from '../readers/idx-folder.js';
import { EMBEDDED_CHECKSUM, EMBEDDED_FOLDER, loadEmbedded } from './embedded.js';
import { findFullMnist } from './test-mnist.js';

let dataset: Dataset;
beforeAll(async () => {
  dataset = await loadEmbedded();
});

const imageAt = (split: Split, i: number) =>
  Buffer.from(split.images.subarray(784 * i, 784 * (i + 1))).toString('latin1');

function countLabels(split: Split): number[] {
  const counts = Array<number>(10).fill(0);
  for (const label of split.labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}

describe('the embedded sample', () => {
  it('has 8,500 images to train on and 1,500 to test, as MNIST', () => {
    expect(dataset).toMatchObject({
      name: 'mnist-sample',
      source: "8,500 + 1,500 images of MNIST's training set, which Lockstep has with it",
      channels: 1,
      height: 28,
      width: 28,
      classes: 10,
      mean: [0.1307],
      std: [0.3081],
      checksum: EMBEDDED_CHECKSUM,
    });
    expect([dataset.train.count, dataset.validation.count, dataset.test.count]).toEqual([8500, 0, 1500]);
    expect(dataset.train.images.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it('says loudly what it is and how to get the full set', () => {
    expect(dataset.notice).toBe(
      'this is the small embedded sample of MNIST: 8,500 images to train on and 1,500 to test, not the full 60,000 and 10,000, so expect lower accuracy. For the full set connect to the network once, or give --data DIR with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (plain or .gz).',
    );
  });

  it('uses all 10,000 images once', () => {
    const images = [dataset.train, dataset.test].flatMap((split) =>
      Array.from({ length: split.count }, (_, i) => imageAt(split, i)),
    );
    expect(new Set(images).size).toBe(10_000);
  });

  it('gives 15% of each digit to the test', () => {
    const train = countLabels(dataset.train);
    const test = countLabels(dataset.test);
    expect(train.map((count, digit) => count + (test[digit] ?? 0))).toEqual([
      1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978,
    ]);
    test.forEach((count, digit) => {
      expect(Math.abs(count - 0.15 * (count + (train[digit] ?? 0)))).toBeLessThanOrEqual(1);
    });
  });

  it('spreads each digit evenly: any 1,000 images in a row have their share of it, give or take two', () => {
    for (const split of [dataset.train, dataset.test]) {
      const totals = countLabels(split);
      for (let from = 0; from + 1000 <= split.count; from += 250) {
        const counts = countLabels({ ...split, labels: split.labels.subarray(from, from + 1000) });
        const excess = counts.map((count, digit) => Math.abs(count - ((totals[digit] ?? 0) * 1000) / split.count));
        expect(Math.max(...excess)).toBeLessThanOrEqual(2);
      }
    }
  });

  const full = findFullMnist();
  it.skipIf(full === undefined)("is the first 10,000 images of MNIST's training set (needs the full set)", async () => {
    const { train } = await loadIdxFolder(full ?? '');
    const places = new Map(Array.from({ length: 10_000 }, (_, i) => [imageAt(train, i), train.labels[i]]));
    for (const split of [dataset.train, dataset.test]) {
      for (let i = 0; i < split.count; i++) expect(places.get(imageAt(split, i))).toBe(split.labels[i]);
    }
  });
});

describe('the files of the sample', () => {
  const names = [
    'train-images-idx3-ubyte.gz',
    'train-labels-idx1-ubyte.gz',
    't10k-images-idx3-ubyte.gz',
    't10k-labels-idx1-ubyte.gz',
  ];
  let folder = '';
  const copySample = (): void => {
    folder = mkdtempSync(join(tmpdir(), 'lockstep-sample-'));
    cpSync(EMBEDDED_FOLDER, folder, { recursive: true });
  };
  afterEach(() => {
    if (folder !== '') rmSync(folder, { recursive: true });
    folder = '';
  });

  it('take less than 2 MB', () => {
    const bytes = names.reduce((sum, name) => sum + statSync(join(EMBEDDED_FOLDER, name)).size, 0);
    expect(bytes).toBeLessThan(2e6);
    expect(bytes).toBeGreaterThan(1e6);
  });

  it.each(names)('are refused when one is cut short: %s', async (name) => {
    copySample();
    truncateSync(join(folder, name), 400);
    await expect(loadEmbedded(folder)).rejects.toMatchObject({
      code: 'LOCKSTEP_DATA_EMBEDDED',
      message: expect.stringMatching(
        /the embedded sample cannot be used: .*ubyte\.gz \(400 bytes\) cannot be unpacked: its gzip data ends too early\. Install Lockstep again \(in a clone: git checkout packages\/core\/sample\), or give --data DIR\.$/,
      ),
    });
  });

  it('are refused when one is whole and another', async () => {
    copySample();
    const [images, , others] = names.map((name) => join(folder, name)) as [string, string, string];
    const [labels, otherLabels] = [names[1], names[3]].map((name) => join(folder, name ?? '')) as [string, string];
    writeFileSync(images, readFileSync(others));
    writeFileSync(labels, readFileSync(otherLabels));
    await expect(loadEmbedded(folder)).rejects.toMatchObject({
      code: 'LOCKSTEP_DATA_EMBEDDED',
      message: expect.stringContaining(`expected ${EMBEDDED_CHECKSUM}`),
    });
  });

  it('are refused when one is missing', async () => {
    copySample();
    rmSync(join(folder, 't10k-labels-idx1-ubyte.gz'));
    await expect(loadEmbedded(folder)).rejects.toMatchObject({ code: 'LOCKSTEP_DATA_EMBEDDED' });
  });
});
