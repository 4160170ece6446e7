/** NumPy's array files (numpy.org/doc/stable/reference/generated/numpy.lib.format.html). */

import { LockstepError } from '../../errors/errors.js';
import { countOf } from '../../text/count-text.js';

/** An array: numbers, or texts of a `<U` array; row-major. */
export interface NpyArray {
  readonly shape: readonly number[];
  /** As in the file: `|u1`, `<f4`. */
  readonly type: string;
  readonly values: Uint8Array | Float64Array | readonly string[];
}

/**
 * Reads an array of whole numbers, floats, booleans or texts.
 *
 * @param source the array's name, for errors
 * @throws LockstepError LOCKSTEP_DATA_NPZ when it is damaged or of another type
 */
export function parseNpy(bytes: Uint8Array, source: string): NpyArray {
  const fail = (text: string): never => {
    throw new LockstepError('LOCKSTEP_DATA_NPZ', `${source} ${text}`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || view.getUint32(0) !== 0x93_4e_55_4d)
    return fail('is not a NumPy array. Save it with numpy.savez.');
  const isShort = bytes[6] === 1;
  const start = isShort ? 10 : 12;
  const end = start + (isShort ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = new TextDecoder('latin1').decode(bytes.subarray(start, end));
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (type === undefined || shapeText === undefined || end > bytes.length)
    return fail('has a damaged header. Save it again.');
  const shape = shapeText.split(',').flatMap((side) => (side.trim() === '' ? [] : [Number.parseInt(side, 10)]));
  if (/'fortran_order':\s*True/.test(header) && shape.length > 1) {
    return fail('is stored column by column. Save it with numpy.ascontiguousarray.');
  }
  const count = shape.reduce((product, side) => product * side, 1);
  const elementBytes = sizeOf(type);
  if (elementBytes === undefined)
    return fail(`is of type ${type}, expected numbers${type.includes('O') ? ', not Python objects' : ''}.`);
  const data = bytes.subarray(end);
  if (data.length !== count * elementBytes) {
    return fail(
      `has ${countOf(data.length, 'byte')} of data, ${type} of shape (${shape.join(', ')}) takes ${count * elementBytes}. The file is damaged.`,
    );
  }
  return { shape, type, values: readValues(data, type, count, elementBytes) };
}

function sizeOf(type: string): number | undefined {
  const [, kind = '', size = ''] = /^[<>|=]([biufU])(\d+)$/.exec(type) ?? [];
  if (kind === 'U') return 4 * Number(size);
  const sizes = kind === 'f' ? ['4', '8'] : kind === 'b' ? ['1'] : ['1', '2', '4', '8'];
  return kind !== '' && sizes.includes(size) ? Number(size) : undefined;
}

function readValues(data: Uint8Array, type: string, count: number, elementBytes: number): NpyArray['values'] {
  if (elementBytes === 1 && !type.includes('i')) return data;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const isLittle = type[0] !== '>';
  if (type.includes('U')) {
    const readOne = (at: number): string => readText(view, at, elementBytes, isLittle);
    return Array.from({ length: count }, (_, index) => readOne(index * elementBytes));
  }
  const read = READERS[type.slice(1)] as (view: DataView, at: number, isLittle: boolean) => number;
  return Float64Array.from({ length: count }, (_, index) => read(view, index * elementBytes, isLittle));
}

const READERS: Readonly<Record<string, (view: DataView, at: number, isLittle: boolean) => number>> = {
  i1: (view, at) => view.getInt8(at),
  i2: (view, at, isLittle) => view.getInt16(at, isLittle),
  u2: (view, at, isLittle) => view.getUint16(at, isLittle),
  i4: (view, at, isLittle) => view.getInt32(at, isLittle),
  u4: (view, at, isLittle) => view.getUint32(at, isLittle),
  i8: (view, at, isLittle) => Number(view.getBigInt64(at, isLittle)),
  u8: (view, at, isLittle) => Number(view.getBigUint64(at, isLittle)),
  f4: (view, at, isLittle) => view.getFloat32(at, isLittle),
  f8: (view, at, isLittle) => view.getFloat64(at, isLittle),
};

/** UCS-4, padded with zeros. */
function readText(view: DataView, at: number, bytes: number, isLittle: boolean): string {
  let text = '';
  for (let offset = at; offset < at + bytes; offset += 4) {
    const code = view.getUint32(offset, isLittle);
    if (code === 0) break;
    text += String.fromCodePoint(code);
  }
  return text;
}
