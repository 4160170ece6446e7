import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { parseNpy } from './npy.js';
import { readNpz } from './npz.js';

/** An .npy file of version 1. */
function makeNpy(descr: string, shape: readonly number[], data: Uint8Array, order = 'False'): Uint8Array {
  const sides = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${sides}), }`;
  const header = new TextEncoder().encode(`${text.padEnd(118)}\n`.slice(-118 - 1));
  const head = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8);
  return new Uint8Array(Buffer.concat([head, header, data]));
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const bytesOf = (values: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint32Array): Uint8Array =>
  new Uint8Array(values.buffer);

const twoImages = makeNpy(
  '|u1',
  [2, 2, 3],
  Uint8Array.from({ length: 12 }, (_, i) => i),
);
const twoLabels = makeNpy('<i8', [2], bytesOf(BigInt64Array.of(1n, 0n)));

const read = (arrays: Record<string, Uint8Array>) => {
  const files = Object.entries(arrays).map(([name, content]) => [`${name}.npy`, content] as const);
  return readNpz(zipSync(Object.fromEntries(files)), 'x.npz', undefined);
};

describe('parseNpy', () => {
  it.each([
    ['|u1', bytes(1, 255), [1, 255]],
    ['|i1', bytes(1, 255), [1, -1]],
    ['>u2', bytes(1, 2, 0, 3), [258, 3]],
    ['<i4', bytesOf(Int32Array.of(-5, 70_000)), [-5, 70_000]],
    ['<f4', bytesOf(Float32Array.of(0.5, -2)), [0.5, -2]],
    ['<f8', bytesOf(Float64Array.of(0.1, 1e300)), [0.1, 1e300]],
    ['<i8', bytesOf(BigInt64Array.of(-1n, 9n)), [-1, 9]],
    ['|b1', bytes(0, 1), [0, 1]],
    ['<U2', bytesOf(Uint32Array.of(97, 98, 0x1f600, 0)), ['ab', '😀']],
  ])('reads %s', (type, data, values) => {
    const array = parseNpy(makeNpy(type, [2], data), 'a');
    expect([array.shape, [...array.values]]).toEqual([[2], values]);
  });

  it.each([
    ['not an array', bytes(1, 2, 3), 'a is not a NumPy array. Save it with numpy.savez.'],
    ['Python objects', makeNpy('|O', [2], bytes(0, 0)), 'a is of type |O, expected numbers, not Python objects.'],
    ['complex numbers', makeNpy('<c8', [1], new Uint8Array(8)), 'a is of type <c8, expected numbers.'],
    [
      'columns first',
      makeNpy('|u1', [2, 2], bytes(1, 2, 3, 4), 'True'),
      'a is stored column by column. Save it with numpy.ascontiguousarray.',
    ],
    [
      'too few bytes',
      makeNpy('<f4', [3], new Uint8Array(8)),
      'a has 8 bytes of data, <f4 of shape (3) takes 12. The file is damaged.',
    ],
  ])('refuses %s', (_, file, text) => {
    expect(() => parseNpy(file, 'a')).toThrow(expect.objectContaining({ code: 'LOCKSTEP_DATA_NPZ', text }));
  });
});

describe('readNpz', () => {
  it("reads Keras's names, train and test", () => {
    const { train, test } = read({ x_train: twoImages, y_train: twoLabels, x_test: twoImages, y_test: twoLabels });
    expect(train).toMatchObject({ channels: 1, height: 2, width: 3, labels: ['1', '0'] });
    expect([...train.images]).toEqual(Array.from({ length: 12 }, (_, i) => i));
    expect(test?.labels).toEqual(['1', '0']);
  });

  it("reads MedMNIST's names, labels in a column, and no test set where there is none", () => {
    const { train, test } = read({ train_images: twoImages, train_labels: makeNpy('|u1', [2, 1], bytes(4, 5)) });
    expect([train.labels, test]).toEqual([['4', '5'], undefined]);
  });

  it('brings channels from the last axis to the first', () => {
    const pixels = Uint8Array.from({ length: 12 }, (_, i) => i);
    const { train } = read({ images: makeNpy('|u1', [1, 2, 2, 3], pixels), labels: makeNpy('|u1', [1], bytes(0)) });
    expect(train).toMatchObject({ channels: 3, height: 2, width: 2 });
    expect([...train.images]).toEqual([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
  });

  it('takes channels first where there are no more than 16, more than three too', () => {
    const pixels = Uint8Array.from({ length: 80 }, (_, i) => i);
    const { train } = read({ images: makeNpy('|u1', [1, 5, 4, 4], pixels), labels: makeNpy('|u1', [1], bytes(0)) });
    expect(train).toMatchObject({ channels: 5, height: 4, width: 4 });
    expect([...train.images]).toEqual([...pixels]);
  });

  it('scales floats from 0 to 1, and takes whole floats as they are', () => {
    const labels = makeNpy('|u1', [1], bytes(0));
    const fractions = makeNpy('<f4', [1, 1, 3], bytesOf(Float32Array.of(0, 0.5, 1)));
    expect([...read({ images: fractions, labels }).train.images]).toEqual([0, 128, 255]);
    const wholes = makeNpy('<f4', [1, 1, 3], bytesOf(Float32Array.of(0, 7, 255)));
    expect([...read({ images: wholes, labels }).train.images]).toEqual([0, 7, 255]);
  });

  it.each([
    ['other names', { a: twoImages }, 'x.npz holds a, expected arrays named x_train and y_train; '],
    [
      'images in a row',
      { x: makeNpy('|u1', [2, 6], new Uint8Array(12)), y: twoLabels },
      'array x of x.npz has the shape (2, 6), expected (count, height, width)',
    ],
    [
      'more images than labels',
      { x: makeNpy('|u1', [3, 2, 2], new Uint8Array(12)), y: twoLabels },
      'array x of x.npz has 3 images, array y of x.npz has 2 labels.',
    ],
    [
      'a pixel that is none',
      { x: makeNpy('<f4', [2, 1, 1], bytesOf(Float32Array.of(0, 1.5))), y: twoLabels },
      'array x of x.npz: element 1 is 1.5, expected whole numbers from 0 to 255, or floats from 0 to 1.',
    ],
    [
      'one-hot labels',
      { x: twoImages, y: makeNpy('|u1', [2, 3], new Uint8Array(6)) },
      'array y of x.npz has the shape (2, 3), expected one label per image',
    ],
    [
      'a negative label',
      { x: twoImages, y: makeNpy('|i1', [2], bytes(1, 255)) },
      'array y of x.npz: label 1 is -1, expected a whole number of at least 0, or a text.',
    ],
  ])('names the array: %s', (_, arrays, text) => {
    expect(() => read(arrays as Record<string, Uint8Array>)).toThrow(
      expect.objectContaining({ code: 'LOCKSTEP_DATA_NPZ', text: expect.stringContaining(text) }),
    );
  });

  it('refuses what is no zip archive', () => {
    expect(() => readNpz(bytes(1, 2, 3, 4), 'x.npz', undefined)).toThrow(
      'LOCKSTEP_DATA_NPZ: x.npz is not a zip archive that can be unpacked: ',
    );
  });
});
