/** NumPy archives: images and labels as arrays, under the names that datasets in this form have. */

import { unzipSync } from 'fflate';
import { LockstepError } from '../../errors/errors.js';
import { countOf } from '../../text/count-text.js';
import type { LabelledImages } from '../dataset/own-data.js';
import { ImageList, type ImageSize } from './image-list.js';
import { type NpyArray, parseNpy } from './npy.js';

/** Names of [images, labels]: Keras's mnist.npz, MedMNIST, and the plain ones. */
const TRAIN_NAMES = [
  ['x_train', 'y_train'],
  ['train_images', 'train_labels'],
  ['images', 'labels'],
  ['x', 'y'],
] as const;
const TEST_NAMES = [
  ['x_test', 'y_test'],
  ['test_images', 'test_labels'],
] as const;
const MAX_CHANNELS = 16;

/**
 * Reads an .npz file. Images are [count, height, width], [count, height, width, channels] or [count, channels, height,
 * width]: whole numbers 0 to 255, or floats 0 to 1. Labels are whole numbers or texts, [count] or [count, 1].
 *
 * @throws LockstepError LOCKSTEP_DATA_NPZ naming the array; LOCKSTEP_DATA_SHAPE when the images are too large
 */
export function readNpz(bytes: Uint8Array, path: string, resize: ImageSize | undefined) {
  const arrays = unpack(bytes, path);
  const train = readPair(arrays, TRAIN_NAMES, path, resize);
  if (train === undefined) {
    const found = [...arrays.keys()].join(', ') || 'nothing';
    const expected = TRAIN_NAMES.map((pair) => pair.join(' and ')).join('; ');
    throw npzError(`${path} holds ${found}, expected arrays named ${expected}.`);
  }
  return { train, test: readPair(arrays, TEST_NAMES, path, resize) };
}

const npzError = (text: string, cause?: unknown): LockstepError =>
  new LockstepError('LOCKSTEP_DATA_NPZ', text, { cause });

function unpack(bytes: Uint8Array, path: string): ReadonlyMap<string, Uint8Array> {
  try {
    const files = unzipSync(bytes, { filter: ({ name }) => name.endsWith('.npy') });
    return new Map(Object.entries(files).map(([name, content]) => [name.replace(/\.npy$/, ''), content]));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw npzError(
      `${path} is not a zip archive that can be unpacked: ${reason}. Save it again with numpy.savez.`,
      error,
    );
  }
}

function readPair(
  arrays: ReadonlyMap<string, Uint8Array>,
  names: readonly (readonly [string, string])[],
  path: string,
  resize: ImageSize | undefined,
): LabelledImages | undefined {
  const pair = names.find(([images, labels]) => arrays.has(images) && arrays.has(labels));
  if (pair === undefined) return undefined;
  const [images, labels] = pair.map((name) => {
    const source = `array ${name} of ${path}`;
    return { source, array: parseNpy(arrays.get(name) as Uint8Array, source) };
  }) as [Named, Named];
  return combine(images, labels, resize);
}

interface Named {
  readonly source: string;
  readonly array: NpyArray;
}

function combine(images: Named, labels: Named, resize: ImageSize | undefined): LabelledImages {
  const layout = layOut(images);
  const names = readLabels(labels);
  if (names.length !== layout.count) {
    throw npzError(
      `${images.source} has ${countOf(layout.count, 'image')}, ${labels.source} has ${countOf(names.length, 'label')}.`,
    );
  }
  const pixels = readPixels(images);
  const list = new ImageList(layout.count, resize);
  names.forEach((name, index) => {
    list.add(takeImage(pixels, index, layout), name, `image ${index} of ${images.source}`);
  });
  return list.finish();
}

interface Layout {
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly isChannelLast: boolean;
}

function layOut({ array: { shape }, source }: Named): Layout {
  const [count = 0, a = 0, b = 0, c = 0] = shape;
  if (count > 0 && shape.length === 3) return { count, channels: 1, height: a, width: b, isChannelLast: false };
  if (count > 0 && shape.length === 4) {
    const isChannelLast = c === 1 || c === 3 || (c <= MAX_CHANNELS && a > MAX_CHANNELS);
    if (isChannelLast) return { count, channels: c, height: a, width: b, isChannelLast };
    if (a <= MAX_CHANNELS) return { count, channels: a, height: b, width: c, isChannelLast };
  }
  throw npzError(
    `${source} has the shape (${shape.join(', ')}), expected (count, height, width), or 1 to ${MAX_CHANNELS} channels beside them.`,
  );
}

function takeImage(pixels: Uint8Array, index: number, { channels, height, width, isChannelLast }: Layout) {
  const bytes = channels * height * width;
  const own = pixels.subarray(index * bytes, (index + 1) * bytes);
  if (!isChannelLast || channels === 1) return { channels, height, width, pixels: own };
  const plane = height * width;
  const planar = new Uint8Array(bytes);
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < channels; c++) planar[c * plane + i] = own[i * channels + c] as number;
  return { channels, height, width, pixels: planar };
}

/** Bytes as they are; floats from 0 to 1 are scaled by 255 and rounded. */
function readPixels({ array: { values, type }, source }: Named): Uint8Array {
  if (values instanceof Uint8Array && type.includes('u')) return values;
  const numbers = values as ArrayLike<number>;
  const isFraction = type.includes('f') && isWithin(numbers, 1);
  const pixels = new Uint8Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i] as number;
    const pixel = isFraction ? Math.floor(value * 255 + 0.5) : value;
    if (typeof value !== 'number' || !Number.isInteger(pixel) || pixel < 0 || pixel > 255) {
      throw npzError(
        `${source}: element ${i} is ${value}, expected whole numbers from 0 to 255, or floats from 0 to 1.`,
      );
    }
    pixels[i] = pixel;
  }
  return pixels;
}

function isWithin(values: ArrayLike<number>, most: number): boolean {
  for (let i = 0; i < values.length; i++)
    if (!((values[i] as number) >= 0 && (values[i] as number) <= most)) return false;
  return true;
}

function readLabels({ array: { shape, values }, source }: Named): string[] {
  if (shape.slice(1).some((side) => side !== 1)) {
    throw npzError(
      `${source} has the shape (${shape.join(', ')}), expected one label per image, (count) or (count, 1).`,
    );
  }
  return Array.from(values as ArrayLike<number | string>, (value, index) => {
    if (typeof value === 'string' || (Number.isInteger(value) && value >= 0)) return String(value);
    throw npzError(`${source}: label ${index} is ${value}, expected a whole number of at least 0, or a text.`);
  });
}
