/** The values of arrays as pixels and as names of classes. */
import { LockstepError } from '../../errors/errors.js';
import { WHITE_16 } from '../pictures/formats/raw-image.js';
import type { NpyArray, NpyNumbers } from './npy.js';

/** An array, and its name for people: `x_train of digits.npz`. */
export interface NamedArray {
  readonly source: string;
  readonly array: NpyArray;
}

export const arrayError = (text: string): LockstepError => new LockstepError('LOCKSTEP_DATA_NPZ', text);

/** Whole numbers from 0 to 255, fractions of 1, numbers up to 255 to be rounded, or 16 bits. */
export type Scale = 'whole' | 'fractions' | 'rounded' | 'sixteen';

/** A largest value above this is of images from 0 to 255. */
const LARGEST_OTHER_WHITE = 127;

/** What the values of an array of pixels are like. */
interface Range {
  readonly isFloat: boolean;
  readonly isSixteen: boolean;
  readonly isWhole: boolean;
  readonly most: number;
}

/**
 * How an array's values stand for pixels. The training part's scale is used for every part that can be meant so.
 *
 * @throws LockstepError LOCKSTEP_DATA_NPZ naming the first value that is out of range
 */
export function findScale(named: NamedArray, values: NpyNumbers, ofTraining: Scale | undefined): Scale {
  const range = measureRange(named, values);
  const own = scaleOf(named, values, range);
  return ofTraining !== undefined && canBe(ofTraining, range) ? ofTraining : own;
}

function measureRange({ array, source }: NamedArray, values: NpyNumbers): Range {
  const { type, shape } = array;
  if (values instanceof Uint8Array) return { isFloat: false, isSixteen: false, isWhole: true, most: 255 };
  let [isWhole, most] = [true, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) throw outOfRange(source, shape, i, value);
    if (value > most) most = value;
    isWhole &&= Number.isInteger(value);
  }
  return { isFloat: type.includes('f'), isSixteen: type.endsWith('u2'), isWhole, most };
}

function scaleOf({ array: { shape }, source }: NamedArray, values: NpyNumbers, range: Range): Scale {
  const { isFloat, isSixteen, isWhole, most } = range;
  if (isFloat && most <= 1) return 'fractions';
  if (isWhole && most <= 255) return 'whole';
  if (isSixteen) return 'sixteen';
  if (most > LARGEST_OTHER_WHITE && most <= 255) return 'rounded';
  const limit = most <= LARGEST_OTHER_WHITE ? 1 : 255;
  const index = values.findIndex((value) => value > limit);
  throw outOfRange(source, shape, index, values[index] as number);
}

function canBe(scale: Scale, { isFloat, isSixteen, isWhole, most }: Range): boolean {
  if (scale === 'sixteen') return isSixteen;
  if (scale === 'fractions') return isFloat && most <= 1;
  return most <= 255 && (isWhole || (scale === 'rounded' && most > 1));
}

function outOfRange(source: string, shape: readonly number[], index: number, value: number): LockstepError {
  return arrayError(
    `${source}: element ${describeIndex(shape, index)} is ${value}, expected whole numbers from 0 to 255, or floats from 0 to 1.`,
  );
}

/** `[12, 0, 3]`, as NumPy takes it. */
function describeIndex(shape: readonly number[], index: number): string {
  const at: number[] = [];
  let rest = index;
  for (const side of [...shape].reverse()) {
    at.unshift(rest % side);
    rest = Math.floor(rest / side);
  }
  return `[${at.join(', ')}]`;
}

/**
 * Pixels of 0 to 255 from values of a scale; fractions are multiplied by 255 and rounded.
 *
 * @param white16 the value of 16 bits that becomes 255, as of pictures
 */
export function toBytes(values: NpyNumbers, scale: Scale, white16: number): Uint8Array {
  if (values instanceof Uint8Array) return values;
  if (scale === 'whole') return new Uint8Array(values);
  const bytes = new Uint8Array(values.length);
  if (scale === 'sixteen' && white16 === WHITE_16) {
    for (let i = 0; i < bytes.length; i++) bytes[i] = (values[i] as number) >>> 8;
    return bytes;
  }
  const factor = scale === 'fractions' ? 255 : scale === 'sixteen' ? 255 / white16 : 1;
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.min(255, Math.floor((values[i] as number) * factor + 0.5));
  return bytes;
}

export const isNumbers = (values: NpyArray['values']): values is NpyNumbers => !Array.isArray(values);

/**
 * Names of classes: whole numbers, texts, or for one-hot rows the place of the 1.
 *
 * @throws LockstepError LOCKSTEP_DATA_NPZ naming the first label that is none of these
 */
export function readArrayLabels({ array: { shape, values }, source }: NamedArray): string[] {
  const [count = 0, ...sides] = shape;
  const width = sides.reduce((product, side) => product * side, 1);
  if (isNumbers(values) && isOneHotShape(shape)) return readOneHot(values, count, width, source);
  if (shape.length === 0 || width !== 1) {
    throw arrayError(
      `${source} has the shape (${shape.join(', ')}), expected one label per image, (count) or (count, 1), or one-hot rows.`,
    );
  }
  return Array.from(values as ArrayLike<number | string>, (value, index) => {
    if (typeof value === 'string' || (Number.isInteger(value) && value >= 0)) return String(value);
    throw arrayError(`${source}: label ${index} is ${value}, expected a whole number of at least 0, or a text.`);
  });
}

export const isOneHotShape = (shape: readonly number[]): boolean => shape.length === 2 && (shape[1] as number) > 1;

function readOneHot(values: NpyNumbers, count: number, width: number, source: string): string[] {
  return Array.from({ length: count }, (_, index) => {
    const row = values.subarray(index * width, (index + 1) * width);
    const isOneHot = row.every((value) => value === 0 || value === 1) && row.indexOf(1) === row.lastIndexOf(1);
    if (isOneHot && row.includes(1)) return String(row.indexOf(1));
    throw arrayError(
      `${source}: row ${index} is ${[...row.subarray(0, 5)].join(', ')}${width > 5 ? ', ...' : ''}, expected one-hot rows, a single 1 and zeros, or one label per image.`,
    );
  });
}
