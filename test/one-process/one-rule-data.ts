/** Small data in the forms that leave something open: where colours are, what a row is, which value is white. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { encode } from 'fast-png';
import { bytesOf, makeNpy, makeNpz } from '../../packages/core/dist/data/arrays/test-arrays.js';

const forms = ['table', 'rows', 'arrays', 'pictures'] as const;
/** A tenth is held out: two of each class. */
const COUNT = 40;
const CLASSES = 2;

export interface OpenData {
  readonly form: (typeof forms)[number];
  readonly channels: 1 | 3;
  readonly height: number;
  readonly width: number;
  /** What the model reads: other than the images where they are resized. */
  readonly resize: { readonly height: number; readonly width: number } | undefined;
  readonly layout: 'hwc' | 'chw';
  /** Whether `layout` is said, or to be found. */
  readonly isSaid: boolean;
  /** The largest value of any image. */
  readonly white: number;
  readonly ground: 'dark' | 'light';
  readonly tone: number;
}

const side = fc.integer({ min: 6, max: 9 });

const drawn = fc.record({
  form: fc.constantFrom(...forms),
  channels: fc.constantFrom(1, 3),
  height: side,
  width: side,
  resize: fc.option(fc.record({ height: side, width: side }), { nil: undefined }),
  layout: fc.constantFrom('hwc', 'chw'),
  isSaid: fc.boolean(),
  white: fc.constantFrom(16, 100, 255, 1000, 65_535),
  ground: fc.constantFrom('dark', 'light'),
  tone: fc.nat(250),
});

/** @param form all, where it is left out */
export const openData = (form?: OpenData['form']): fc.Arbitrary<OpenData> =>
  drawn.map((data): OpenData => {
    const chosen = { ...data, form: form ?? data.form };
    // tables have bytes; the white of pictures is that of their depth
    if (chosen.form === 'table' && data.white > 255) return { ...chosen, white: 255 };
    return chosen.form === 'pictures' && data.white < 255 ? { ...chosen, white: 255 } : chosen;
  });

/** Images [channels][height][width] with ink in a corner, so that they are no centred drawings, from 0 to `white`. */
export const drawImages = (data: OpenData): number[][] =>
  Array.from({ length: COUNT }, (_, index) => draw(data, index));

export const labelOf = (index: number): number => index % CLASSES;

function draw({ channels, height, width, white, ground, tone }: OpenData, index: number): number[] {
  return Array.from({ length: channels * height * width }, (_, i) => {
    const [x, y, c] = [i % width, Math.floor(i / width) % height, Math.floor(i / (height * width))];
    const isInk = x > 0 && y > 0 && x < width / 2 && y < height / 2;
    const share = index % 5 < 2 + c ? 1 : 0.5 + ((x * 7 + y * 3 + c * 11 + index * 13 + tone) % 10) / 20;
    const ink = isInk && (labelOf(index) === 0 || (x + y) % 2 === 0) ? Math.round(white * share) : 0;
    return ground === 'dark' ? ink : white - ink;
  });
}

/** The numbers of an image in the order of its file. */
export const inOrder = (image: readonly number[], { channels, layout }: OpenData): number[] => {
  const plane = image.length / channels;
  return layout === 'chw'
    ? [...image]
    : image.map((_, i) => image[(i % channels) * plane + Math.floor(i / channels)] as number);
};

/** Writes the data; gives their path, and the flags that a training needs to read them. */
export function writeOpenData(data: OpenData, folder: string): { readonly place: string; readonly flags: string[] } {
  const { form, channels, height, width, layout, isSaid, resize } = data;
  const images = drawImages(data);
  const place = path.join(folder, { table: 'data.csv', rows: 'data.npz', arrays: 'data.npz', pictures: 'data' }[form]);
  if (form === 'table') {
    writeFileSync(place, images.map((image, i) => [labelOf(i), ...inOrder(image, data)].join()).join('\n'));
  } else if (form === 'pictures') {
    images.forEach((image, i) => {
      mkdirSync(path.join(place, `class-${labelOf(i)}`), { recursive: true });
      writeFileSync(
        path.join(place, `class-${labelOf(i)}`, `${String(i).padStart(2, '0')}.png`),
        encodePicture(image, data),
      );
    });
  } else writeFileSync(place, encodeArrays(images, data));
  const isRows = form === 'table' || form === 'rows';
  const isSquare = height === width;
  return {
    place,
    flags: [
      ...(resize === undefined ? [] : ['--resize', `${resize.height}x${resize.width}`]),
      ...(isRows && !isSquare ? ['--csv-shape', `${channels}x${height}x${width}`] : []),
      ...(isRows && channels === 3 && isSaid ? ['--csv-layout', layout] : []),
      ...(form === 'table' ? ['--label-column', 'first'] : []),
    ],
  };
}

export function encodePicture(image: readonly number[], data: OpenData): Uint8Array {
  const { channels, height, width, white } = data;
  const pixels = inOrder(image, { ...data, layout: 'hwc' });
  return white > 255
    ? encode({ width, height, channels, depth: 16, data: Uint16Array.from(pixels) })
    : encode({ width, height, channels, depth: 8, data: Uint8Array.from(pixels) });
}

function encodeArrays(images: readonly (readonly number[])[], data: OpenData): Uint8Array {
  const { form, channels, height, width, layout, white } = data;
  const sides = layout === 'hwc' ? [height, width, channels] : [channels, height, width];
  const shape = [COUNT, ...(form === 'rows' ? [channels * height * width] : channels === 1 ? [height, width] : sides)];
  const ordered = images.flatMap((image) => inOrder(image, data));
  const x =
    white > 255
      ? makeNpy('<u2', shape, bytesOf(Uint16Array.from(ordered)))
      : makeNpy('|u1', shape, Uint8Array.from(ordered));
  return makeNpz({
    x,
    y: makeNpy(
      '|u1',
      [COUNT],
      Uint8Array.from(images, (_, i) => labelOf(i)),
    ),
  });
}
