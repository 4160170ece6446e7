/** Any images and labels, written as arrays of NumPy in any form that is read, read back. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bytesOf, makeNpy, readArrays } from './test-arrays.js';

type Typed = ArrayBufferView & ArrayLike<number | bigint>;

/** Element types: how values become an array, and by what a byte is divided. */
const TYPES: Readonly<Record<string, readonly [(values: readonly number[]) => Typed, divisor: number]>> = {
  u1: [(values) => Uint8Array.from(values), 1],
  u2: [(values) => Uint16Array.from(values), 1],
  i2: [(values) => Int16Array.from(values), 1],
  u4: [(values) => Uint32Array.from(values), 1],
  i4: [(values) => Int32Array.from(values), 1],
  u8: [(values) => BigUint64Array.from(values, BigInt), 1],
  i8: [(values) => BigInt64Array.from(values, BigInt), 1],
  f2: [(values) => Uint16Array.from(values, toHalf), 255],
  f4: [(values) => Float32Array.from(values), 255],
  f8: [(values) => Float64Array.from(values), 1],
};

/** Of a number from 0 to 1, rounded to nearest. */
function toHalf(value: number): number {
  if (value < 2 ** -14) return Math.round(value * 2 ** 24);
  const exponent = Math.floor(Math.log2(value));
  return ((exponent + 15) << 10) + Math.round((value / 2 ** exponent - 1) * 1024);
}

const forms = fc.record({
  type: fc.constantFrom(...Object.keys(TYPES)),
  isBigEndian: fc.boolean(),
  isColumnMajor: fc.boolean(),
  names: fc.constantFrom(['x', 'y'], ['X_train', 'y_train'], ['trainImages', 'trainLabels'], ['arr_0', 'arr_1']),
  form: fc.constantFrom('plain', 'rows', 'hwc', 'chw'),
  labels: fc.constantFrom('u1', 'i8', 'f8', 'texts', 'bytes', 'column', 'one-hot'),
  channels: fc.constantFrom(1, 3),
  side: fc.integer({ min: 5, max: 8 }),
  classes: fc.integer({ min: 2, max: 5 }),
  pixel: fc.func(fc.integer({ min: 0, max: 255 })),
});

type Form = typeof forms extends fc.Arbitrary<infer T> ? T : never;

const COUNT = 7;

/** An array's file, its values given row by row. */
function write(
  type: string,
  shape: readonly number[],
  values: Typed,
  { isBigEndian, isColumnMajor }: Form,
): Uint8Array {
  const size = values.byteLength / values.length;
  const ordered = isColumnMajor ? toColumns(bytesOf(values), shape, size) : bytesOf(values);
  const swapped = isBigEndian
    ? ordered.map((_, at) => ordered[at - (at % size) + size - 1 - (at % size)] as number)
    : ordered;
  const order = isBigEndian ? '>' : '<';
  return makeNpy(`${size === 1 ? '|' : order}${type}`, shape, swapped, isColumnMajor ? 'True' : 'False');
}

/** As numpy.asfortranarray lays it out. */
function toColumns(bytes: Uint8Array, shape: readonly number[], size: number): Uint8Array {
  const columns = new Uint8Array(bytes.length);
  for (let n = 0; n < bytes.length / size; n++) {
    let [rest, at, step] = [n, 0, 1];
    const places = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      places[axis] = rest % (shape[axis] as number);
      rest = Math.floor(rest / (shape[axis] as number));
    }
    places.forEach((place, axis) => {
      at += place * step;
      step *= shape[axis] as number;
    });
    columns.set(bytes.subarray(n * size, (n + 1) * size), at * size);
  }
  return columns;
}

function writeLabels(labels: readonly number[], drawn: Form): Uint8Array {
  const plain = { ...drawn, isColumnMajor: false };
  if (drawn.labels === 'texts')
    return makeNpy('<U1', [COUNT], bytesOf(Uint32Array.from(labels, (label) => 48 + label)));
  if (drawn.labels === 'bytes')
    return makeNpy(
      '|S1',
      [COUNT],
      Uint8Array.from(labels, (label) => 48 + label),
    );
  if (drawn.labels === 'column') return write('i4', [COUNT, 1], Int32Array.from(labels), drawn);
  if (drawn.labels === 'one-hot') {
    const hot = labels.flatMap((label) => Array.from({ length: drawn.classes }, (_, i) => Number(i === label)));
    return write('f4', [COUNT, drawn.classes], Float32Array.from(hot), drawn);
  }
  const [make] = TYPES[drawn.labels] as (typeof TYPES)[string];
  return write(drawn.labels, [COUNT], make(labels), plain);
}

it('issue 23: any images and labels read back from arrays of any type, order, layout and name', () => {
  fc.assert(
    fc.property(forms, (drawn) => {
      const { type, names, form, channels, side, classes, pixel } = drawn;
      // two arrays without names are told apart by one of them being a list
      fc.pre(names[0] !== 'arr_0' || !['column', 'one-hot'].includes(drawn.labels));
      fc.pre(form !== 'plain' || channels === 1);
      const plane = side * side;
      const planar = Array.from({ length: COUNT * channels * plane }, (_, i) => pixel(i));
      // without these the values of floats would be fractions, or all of one kind
      planar[0] = 255;
      const layout = form === 'hwc' || (form === 'rows' && side % 2 === 0) ? ('hwc' as const) : ('chw' as const);
      const size = channels * plane;
      const laid = planar.map((value, at) => {
        const i = at % size;
        const from = layout === 'hwc' ? (i % channels) * plane + Math.floor(i / channels) : i;
        return planar[at - i + from] ?? value;
      });
      const shape = {
        plain: [COUNT, side, side],
        rows: [COUNT, size],
        hwc: [COUNT, side, side, channels],
        chw: [COUNT, channels, side, side],
      }[form];
      const [make, divisor] = TYPES[type] as (typeof TYPES)[string];
      const pixels = write(type, shape, make(laid.map((value) => value / divisor)), drawn);
      const labels = Array.from({ length: COUNT }, (_, i) => i % classes);
      const arrays = { [names[0] as string]: pixels, [names[1] as string]: writeLabels(labels, drawn) };
      const { train, test, validation } = readArrays(arrays, form === 'rows' ? { layout } : {});
      expect([test, validation]).toEqual([undefined, undefined]);
      expect([train.channels, train.height, train.width]).toEqual([channels, side, side]);
      expect(Buffer.from(train.images).toString('hex')).toBe(Buffer.from(planar).toString('hex'));
      expect(train.labels).toEqual(labels.map(String));
    }),
    { numRuns: 200 },
  );
});
