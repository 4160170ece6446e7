/**
 * What all layers of the float64 reference share. The reference is the slow, true version of the arithmetic: it is
 * test support, and no product code imports it.
 *
 * Layout of a shard: row-major [sample][channel][row][column]. Gradients are named `d` + name.
 */
import type { Shape } from '@lockstep/core/model';
import { elementCount } from '@lockstep/core/model';

/** The element at an index that must be inside. */
export function at(values: Float64Array, index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError(`index ${index} is outside of ${values.length} values`);
  return value;
}

/** values[index] += term, at an index that must be inside. */
export function addAt(values: Float64Array, index: number, term: number): void {
  values[index] = at(values, index) + term;
}

/** Every `stride`-th element from `start`: a row of an image as a convolution meets it. */
export interface Strided {
  readonly values: Float64Array;
  readonly start: number;
  readonly stride: number;
}

// The two loops below do nearly all the work of a network. They check the ends of their rows once and then index
// directly: five times faster than `at` for each element.

/** target += scale * source, over `count` elements of each. */
export function addScaled(target: Strided, scale: number, source: Strided, count: number): void {
  checkInside(target, count);
  checkInside(source, count);
  const [to, from] = [target.values, source.values];
  for (let i = 0, t = target.start, s = source.start; i < count; i++, t += target.stride, s += source.stride) {
    to[t] = (to[t] as number) + scale * (from[s] as number);
  }
}

/** Sum of the products of `count` elements of each. */
export function dotStrided(left: Strided, right: Strided, count: number): number {
  checkInside(left, count);
  checkInside(right, count);
  const [a, b] = [left.values, right.values];
  let sum = 0;
  for (let i = 0, l = left.start, r = right.start; i < count; i++, l += left.stride, r += right.stride) {
    sum += (a[l] as number) * (b[r] as number);
  }
  return sum;
}

function checkInside({ values, start, stride }: Strided, count: number): void {
  if (count === 0) return;
  at(values, start);
  at(values, start + (count - 1) * stride);
}

/** Sum over samples, rows and columns: one number per channel. */
export function sumChannels(shape: Shape, sampleCount: number, values: Float64Array): Float64Array {
  const sums = new Float64Array(shape.channels);
  forEachPlane(shape, sampleCount, (channel, start, end) => {
    let sum = 0;
    for (let i = start; i < end; i++) sum += at(values, i);
    addAt(sums, channel, sum);
  });
  return sums;
}

/** Visits the planes of a shard (one channel of one sample), elements `start` to `end` (exclusive). */
export function forEachPlane(
  shape: Shape,
  sampleCount: number,
  visit: (channel: number, start: number, end: number) => void,
): void {
  const planeSize = shape.height * shape.width;
  for (let plane = 0; plane < sampleCount * shape.channels; plane++) {
    visit(plane % shape.channels, plane * planeSize, (plane + 1) * planeSize);
  }
}

/** Zeros for a whole shard of this shape. */
export const zeroShard = (shape: Shape, sampleCount: number): Float64Array =>
  new Float64Array(sampleCount * elementCount(shape));
