/** NumPy's array files (numpy.org/doc/stable/reference/generated/numpy.lib.format.html). */

import { LockstepError } from '../../errors/errors.js';
import { countOf } from '../../text/count-text.js';

/** Numbers of an array, by the least wide array that holds them all. */
export type NpyNumbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** An array: numbers, or texts of a `<U` or `|S` array; row-major, whatever the file's order. */
export interface NpyArray {
  readonly shape: readonly number[];
  /** As in the file: `|u1`, `<f4`. */
  readonly type: string;
  readonly values: NpyNumbers | readonly string[];
}

/** What a file says before its values. */
export interface NpyHeader {
  readonly shape: readonly number[];
  /** As in the file: `|u1`, `<f4`. */
  readonly type: string;
  readonly isColumnMajor: boolean;
  /** Where the values begin. */
  readonly at: number;
  /** `b`, `i`, `u`, `f`, or `U` and `S` for texts. */
  readonly kind: string;
  readonly isSwapped: boolean;
  /** Values, and bytes of each. */
  readonly count: number;
  readonly elementBytes: number;
}

type Fail = (text: string) => never;

const failFor =
  (source: string): Fail =>
  (text) => {
    throw new LockstepError('LOCKSTEP_DATA_NPZ', `${source} ${text}`);
  };

/**
 * Reads an array of whole numbers, floats, booleans or texts.
 *
 * @param source the array's name, for errors
 * @throws LockstepError LOCKSTEP_DATA_NPZ when it is damaged or of another type
 */
export function parseNpy(bytes: Uint8Array, source: string): NpyArray {
  const { shape, type, isColumnMajor, at, kind, isSwapped, count, elementBytes } = readNpyHeader(
    bytes,
    bytes.length,
    source,
  );
  const toValues = DECODERS[`${kind}${elementBytes}`];
  const data = bytes.subarray(at);
  const own = isSwapped ? swapBytes(data, isText(kind) ? 4 : elementBytes, kind) : data;
  const values = toValues === undefined ? readTexts(own, count, elementBytes, kind === 'U') : toValues(own);
  return { shape, type, values: isColumnMajor && shape.length > 1 ? toRowMajor(values, shape) : values };
}

const isText = (kind: string): boolean => kind === 'U' || kind === 'S';

/** NumPy itself reads no longer header of a file that it was not told to trust. */
const MOST_HEADER_BYTES = 10_000;

/**
 * What an array's first bytes say of it, held against how many bytes it has.
 *
 * @param start at least its first `MOST_HEADER_BYTES`, and 12 more, or all
 * @param bytes of the whole array, header included
 * @throws LockstepError LOCKSTEP_DATA_NPZ
 */
export function readNpyHeader(start: Uint8Array, bytes: number, source: string): NpyHeader {
  const fail = failFor(source);
  const { shape, type, isColumnMajor, at } = readFields(start, fail);
  const [, order = '', kind = '', size = 0] = /^([<>|=])([biufUS])(\d+)$/.exec(type) ?? [];
  const elementBytes = Number(size) * (kind === 'U' ? 4 : 1);
  if (!isText(kind) && DECODERS[`${kind}${size}`] === undefined) {
    return fail(`is of type ${type}, expected numbers${type.includes('O') ? ', not Python objects' : ''}.`);
  }
  const count = shape.reduce((product, side) => product * side, 1);
  if (bytes - at !== count * elementBytes) {
    return fail(
      `has ${countOf(bytes - at, 'byte')} of data, ${type} of shape (${shape.join(', ')}) takes ${count * elementBytes}. The file is damaged.`,
    );
  }
  // no bytes stand for them, so that there may be said to be any number
  if (elementBytes === 0 && count > 0) return fail(`has only empty texts, ${type}.`);
  return { shape, type, isColumnMajor, at, kind, isSwapped: order === '>', count, elementBytes };
}

function readFields(start: Uint8Array, fail: Fail) {
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  if (start.length < 12 || view.getUint32(0) !== 0x93_4e_55_4d)
    return fail('is not a NumPy array. Save it with numpy.savez.');
  const isShort = start[6] === 1;
  const from = isShort ? 10 : 12;
  const at = from + (isShort ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = new TextDecoder('latin1').decode(start.subarray(from, Math.min(at, from + MOST_HEADER_BYTES)));
  if (/'descr':\s*\[/.test(header)) return fail('has fields. Save each of them as an array of its own.');
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const shape = /'shape':\s*\(([\s\dL,]*)\)/.exec(header)?.[1]?.match(/\d+/g) ?? [];
  const isWhole = /'shape':\s*\([\s\dL,]*\)/.test(header) && at <= start.length && at - from <= MOST_HEADER_BYTES;
  if (type === undefined || !isWhole) return fail('has a damaged header. Save it again.');
  return { shape: shape.map(Number), type, isColumnMajor: /'fortran_order':\s*True/.test(header), at };
}

/** Bytes that begin where values of such a size may; a Buffer's own slice would copy nothing. */
const aligned = (data: Uint8Array, size: number): Uint8Array =>
  data.byteOffset % size === 0 ? data : new Uint8Array(data);

const DECODERS: Readonly<Record<string, (data: Uint8Array) => NpyNumbers>> = {
  b1: (data) => data,
  u1: (data) => data,
  i1: ({ buffer, byteOffset, length }) => new Int8Array(buffer, byteOffset, length),
  u2: (data) => viewAs(Uint16Array, data),
  i2: (data) => viewAs(Int16Array, data),
  f2: (data) => Float32Array.from(viewAs(Uint16Array, data), readHalf),
  u4: (data) => viewAs(Uint32Array, data),
  i4: (data) => viewAs(Int32Array, data),
  f4: (data) => viewAs(Float32Array, data),
  u8: (data) => Float64Array.from(viewAs(BigUint64Array, data), Number),
  i8: (data) => Float64Array.from(viewAs(BigInt64Array, data), Number),
  f8: (data) => viewAs(Float64Array, data),
};

interface ArrayOf<View> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, offset: number, length: number): View;
}

function viewAs<View>(type: ArrayOf<View>, data: Uint8Array): View {
  const { buffer, byteOffset, length } = aligned(data, type.BYTES_PER_ELEMENT);
  return new type(buffer, byteOffset, length / type.BYTES_PER_ELEMENT);
}

/** IEEE 754 binary16. */
function readHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** A copy with the bytes of each value, or letter of a text, in the other order. */
function swapBytes(data: Uint8Array, size: number, kind: string): Uint8Array {
  if (size === 1 || kind === 'S') return data;
  const copy = Buffer.from(data);
  return size === 2 ? copy.swap16() : size === 4 ? copy.swap32() : copy.swap64();
}

/** Texts padded with zeros: UCS-4, or bytes, which are UTF-8 where they can be. */
function readTexts(data: Uint8Array, count: number, bytes: number, isUcs4: boolean): string[] {
  const readOne = (index: number): string => {
    const own = data.subarray(index * bytes, (index + 1) * bytes);
    if (isUcs4) return Array.from(trimZeros(viewAs(Uint32Array, own)), readLetter).join('');
    return readBytes(trimZeros(own));
  };
  return Array.from({ length: count }, (_, index) => readOne(index));
}

/** What is no letter becomes the sign for that. */
const readLetter = (code: number): string => String.fromCodePoint(code > 0x10_ff_ff ? 0xff_fd : code);

function trimZeros<Codes extends Uint8Array | Uint32Array>(codes: Codes): Codes {
  let length = codes.length;
  while (length > 0 && codes[length - 1] === 0) length--;
  return codes.subarray(0, length) as Codes;
}

function readBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('latin1').decode(bytes);
  }
}

/** Values that lie column by column (Fortran's order), row by row. */
function toRowMajor(values: NpyNumbers | readonly string[], shape: readonly number[]): NpyArray['values'] {
  const ordered = values.slice() as NpyNumbers;
  const from = values as NpyNumbers;
  const steps = shape.map((_, axis) => shape.slice(0, axis).reduce((product, side) => product * side, 1));
  const at = shape.map(() => 0);
  for (let i = 0, source = 0; i < values.length; i++) {
    ordered[i] = from[source] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis] = (at[axis] as number) + 1;
      source += steps[axis] as number;
      if ((at[axis] as number) < (shape[axis] as number)) break;
      source -= (shape[axis] as number) * (steps[axis] as number);
      at[axis] = 0;
    }
  }
  return ordered;
}
