/** Readers of data: IDX, tables, NumPy's arrays, folders, and what is kept of them. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { checkDataset, dist, fill, openData } from './common.mjs';
import { sealPng } from './picture-readers.mjs';

async function idxFiles() {
  const { encodeIdxImages, encodeIdxLabels } = await dist('core/dist/data/readers/index');
  const images = (count) => encodeIdxImages({ count, channels: 1, height: 3, width: 4, pixels: fill(12 * count) });
  const labels = (count) => encodeIdxLabels(Uint8Array.from({ length: count }, (_, i) => i % 2));
  return {
    'train-images-idx3-ubyte': images(8),
    'train-labels-idx1-ubyte': labels(8),
    't10k-images-idx3-ubyte': images(4),
    't10k-labels-idx1-ubyte': labels(4),
  };
}

const idx = (damaged, ending = '') => ({
  async open(at) {
    const whole = await idxFiles();
    const files = { ...whole, [damaged + ending]: whole[damaged] };
    if (ending !== '') delete files[damaged];
    const seal = ending === '.gz' ? (bytes) => gzipSync(bytes, { level: 1 }) : undefined;
    if (seal === undefined) return { files, damaged: damaged + ending, read: () => openData(at) };
    return { files, damaged: damaged + ending, seal, read: () => openData(at) };
  },
});

const table = (name, text, seal) => ({
  open: (at) => ({ files: { [name]: text }, damaged: name, seal, read: () => openData(path.join(at, name)) }),
});

const header = `label,${Array.from({ length: 9 }, (_, i) => `p${i}`).join(',')}\n`;
const rows = Array.from({ length: 12 }, (_, row) => [row % 3, ...fill(9, row + 3)].join(',')).join('\n');

const npzOf = (arrays) => {
  const members = Object.entries(arrays).map(([name, bytes]) => [`${name}.npy`, bytes]);
  return zipSync(Object.fromEntries(members), { level: 1 });
};

async function arrays() {
  const { makeNpy } = await dist('core/dist/data/arrays/test-arrays');
  const words = Uint32Array.from({ length: 36 }, (_, i) => 97 + (Math.floor(i / 3) % 3));
  return {
    images: makeNpy(
      '<f4',
      [12, 3, 3],
      new Uint8Array(Float32Array.from({ length: 108 }, (_, i) => (i % 10) / 10).buffer),
    ),
    labels: makeNpy('<U3', [12], new Uint8Array(words.buffer)),
  };
}

const npz = (which) => ({
  async open(at) {
    const { images, labels } = await arrays();
    const file = path.join(at, 'x.npz');
    const read = () => openData(file);
    if (which === 'archive') return { files: { 'x.npz': npzOf({ images, labels }) }, damaged: 'x.npz', read };
    const seal = (bytes) => npzOf({ images, labels, [which]: bytes });
    return { files: { 'x.npz': { images, labels }[which] }, damaged: 'x.npz', seal, read };
  },
});

export const DATA_READERS = {
  'IDX images': idx('train-images-idx3-ubyte'),
  'IDX labels': idx('train-labels-idx1-ubyte'),
  'IDX, packed': idx('t10k-images-idx3-ubyte', '.gz'),
  'IDX, damaged in its packing': {
    ...idx('train-images-idx3-ubyte'),
    async open(at) {
      const files = await idxFiles();
      files['train-images-idx3-ubyte'] = gzipSync(files['train-images-idx3-ubyte']);
      return { files, damaged: 'train-images-idx3-ubyte', read: () => openData(at) };
    },
  },
  'CSV with names': table('a.csv', header + rows),
  'CSV without': table('b.csv', rows.replaceAll(',', ';')),
  'CSV, packed': table('c.csv.gz', header + rows, (bytes) => gzipSync(bytes, { level: 1 })),
  'an npz archive': npz('archive'),
  'images of an npz': npz('images'),
  'labels of an npz': npz('labels'),
  'a folder of pictures': {
    async open(at) {
      const { makeClassFiles, makeImage } = await dist('core/dist/data/test-images');
      const files = makeClassFiles(['a', 'b'], 5, (i) => makeImage(1, 6, 5, i));
      return { files, damaged: 'a/1.png', seal: sealPng(), read: () => openData(at) };
    },
  },
  'a file of MNIST that was kept': {
    async open(at) {
      const { getFiles } = await dist('core/dist/data/mnist/file-cache');
      const content = fill(500);
      const sha256 = createHash('sha256').update(content).digest('hex');
      const wanted = [{ name: 'x.gz', bytes: content.length, sha256 }];
      const read = async () => {
        const found = await getFiles(wanted, at, { offline: true, onWarning: () => {} });
        const kept = found?.contents.get('x.gz');
        if (kept !== undefined && !content.every((byte, i) => byte === kept[i])) throw new Error('it has other bytes');
      };
      return { files: { 'x.gz': gzipSync(content) }, damaged: 'x.gz', read };
    },
  },
  'data that were kept': {
    async open(at) {
      const { readCachedDataset, writeCachedDataset } = await dist('core/dist/data/data-cache');
      const { createArrayDataset } = await dist('core/dist/data/index');
      const split = { images: fill(120), labels: Uint8Array.from({ length: 10 }, (_, i) => i % 2) };
      const dataset = createArrayDataset({ channels: 1, height: 3, width: 4, classes: 2, train: split, test: split });
      mkdirSync(at, { recursive: true });
      writeCachedDataset(
        at,
        { ...dataset, classNames: ['a', 'b'], reading: { form: 'arrays', labels: 'theirs' } },
        () => {},
      );
      const files = Object.fromEntries(readdirSync(at).map((name) => [name, readFileSync(path.join(at, name))]));
      const read = () => {
        const kept = readCachedDataset(at, 'x', () => {});
        if (kept !== undefined) checkDataset(kept);
      };
      return { files, damaged: 'dataset.json', read };
    },
  },
  'data of a coordinator that were kept': {
    async open(at) {
      const { readCachedDataset } = await dist('worker/dist/connection/dataset-cache');
      const { createArrayDataset } = await dist('core/dist/data/index');
      const { cutDataset, describeDataset } = await dist('core/dist/wire/index');
      const split = { images: fill(120), labels: Uint8Array.from({ length: 10 }, (_, i) => i % 2) };
      const dataset = createArrayDataset({ channels: 1, height: 3, width: 4, classes: 2, train: split, test: split });
      const name = `datasets/${dataset.checksum}.bin`;
      const read = () => {
        const kept = readCachedDataset(at, describeDataset(dataset), () => {});
        if (kept !== undefined) checkDataset(kept);
      };
      return { files: { [name]: Buffer.concat([...cutDataset(dataset)]) }, damaged: name, read };
    },
  },
};
