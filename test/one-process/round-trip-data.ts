/** The data of a random run, in one of the forms that Lockstep reads. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { encodePngImage } from '@lockstep/core/data/pictures';
import fc from 'fast-check';
import { createArrayDataset } from '../../packages/cli/dist/index.js';
import { bytesOf, makeNpy, makeNpz } from '../../packages/core/dist/data/arrays/test-arrays.js';
import type { Dataset } from '../../packages/core/dist/data/index.js';
import { encodeIdxImages, encodeIdxLabels } from '../../packages/core/dist/data/readers/index.js';
import type { ModelSpec } from '../../packages/core/dist/spec/index.js';

export const forms = ['arrays', 'idx', 'csv', 'npz', 'folder'] as const;
export const motifs = ['noise', 'drawing', 'light drawing', 'one value'] as const;

export interface NpzForm {
  readonly names: readonly [string, string];
  readonly isFraction: boolean;
  readonly isChannelLast: boolean;
  readonly isOneHot: boolean;
  readonly level: 0 | 6;
}

/** How arrays of NumPy are stored. */
export const npzForm: fc.Arbitrary<NpzForm> = fc.record({
  names: fc.constantFrom(['x', 'y'], ['train_images', 'train_labels'], ['X_train', 'y_train'], ['arr_0', 'arr_1']),
  isFraction: fc.boolean(),
  isChannelLast: fc.boolean(),
  isOneHot: fc.boolean(),
  level: fc.constantFrom(0, 6),
});

/** What data are made of, and for which model. */
export interface DrawnData {
  readonly model: ModelSpec;
  readonly form: (typeof forms)[number];
  readonly motif: (typeof motifs)[number];
  readonly white: number;
  readonly npz: NpzForm;
}

const COUNT = 40;

/** Whether a form can hold such images. */
export function fits({ channels, height, width }: ModelSpec['input'], form: DrawnData['form']): boolean {
  if (form === 'csv') return channels === 1 && height === width && height > 1;
  // where the shape alone says where colours are
  if (form === 'npz') return channels === 1 || (channels < 4 && height === width && height > 4);
  return form !== 'folder' || channels !== 2;
}

/** The data in its form: a dataset, or the path of it. */
export function writeData({ model, form, motif, white, npz }: DrawnData, folder: string): Dataset | string {
  const { channels, height, width } = model.input;
  const place = path.join(folder, form === 'csv' || form === 'npz' ? `data.${form}` : 'data');
  const images = Array.from({ length: COUNT }, (_, index) => draw(motif, white, index, model.input));
  // pictures that are grey throughout would make a model of one channel
  if (form === 'folder' && channels === 3) images[0]?.fill(white, 0, height * width).fill(0, height * width);
  const labels = images.map((_, index) => index % model.classes);
  if (form === 'csv') {
    writeFileSync(place, images.map((image, i) => [labels[i], ...image].join(',')).join('\n'));
    return place;
  }
  const pixels = Uint8Array.from(images.flatMap((image) => [...image]));
  if (form === 'arrays') {
    const split = { images: pixels, labels };
    return createArrayDataset({ channels, height, width, classes: model.classes, train: split, test: split });
  }
  if (form === 'npz') {
    writeFileSync(place, encodeNpz(images, labels, model, npz));
    return place;
  }
  mkdirSync(place);
  if (form === 'idx') {
    for (const stem of ['train', 't10k']) {
      const idx = encodeIdxImages({ count: COUNT, channels, height, width, pixels });
      writeFileSync(path.join(place, `${stem}-images-idx3-ubyte`), idx);
      writeFileSync(path.join(place, `${stem}-labels-idx1-ubyte`), encodeIdxLabels(Uint8Array.from(labels)));
    }
    return place;
  }
  images.forEach((image, i) => {
    const directory = path.join(place, `class-${labels[i]}`);
    mkdirSync(directory, { recursive: true });
    writeFileSync(path.join(directory, `${i}.png`), encodePngImage({ channels, height, width, pixels: image }));
  });
  return place;
}

/** Images and labels as numpy.savez writes them. */
function encodeNpz(images: readonly Uint8Array[], labels: readonly number[], model: ModelSpec, form: NpzForm) {
  const { channels, height, width } = model.input;
  const plane = height * width;
  const ordered = images.flatMap((image) =>
    Array.from(image, (value, i) =>
      form.isChannelLast ? (image[(i % channels) * plane + Math.floor(i / channels)] as number) : value,
    ),
  );
  const sides = form.isChannelLast ? [height, width, channels] : [channels, height, width];
  const shape = [COUNT, ...(channels === 1 ? [height, width] : sides)];
  const pixels = form.isFraction
    ? makeNpy('<f8', shape, bytesOf(Float64Array.from(ordered, (value) => value / 255)))
    : makeNpy('|u1', shape, Uint8Array.from(ordered));
  const isOneHot = form.isOneHot && form.names[0] !== 'arr_0' && model.classes > 1;
  const hot = labels.flatMap((label) => Array.from({ length: model.classes }, (_, i) => Number(i === label)));
  const classes = isOneHot
    ? makeNpy('|u1', [COUNT, model.classes], Uint8Array.from(hot))
    : makeNpy('<i8', [COUNT], bytesOf(BigInt64Array.from(labels, BigInt)));
  return makeNpz({ [form.names[0]]: pixels, [form.names[1]]: classes }, form.level);
}

function draw(
  motif: DrawnData['motif'],
  white: number,
  index: number,
  { channels, height, width }: ModelSpec['input'],
): Uint8Array {
  return Uint8Array.from({ length: channels * height * width }, (_, i) => {
    const noise = ((i * 7919 + index * 104_729 + 31 * i * index) % (white + 1)) + 0;
    const [x, y] = [i % width, Math.floor(i / width) % height];
    const isInk = x > width / 4 && x < (3 * width) / 4 && y > height / 4 && (y + index) % 3 > 0;
    if (motif === 'one value') return white;
    if (motif === 'noise') return noise;
    return isInk === (motif === 'drawing') ? white : 0;
  });
}
