/** Numerical derivatives, which the analytic gradients of the reference are checked with. */
import { at } from './tensor.js';

/** The four places around x, in steps, and their weights: fourth-order central difference (Fornberg, 1988). */
const STENCIL = [
  [-2, 1 / 12],
  [-1, -2 / 3],
  [1, 2 / 3],
  [2, -1 / 12],
] as const;

/** Far enough that rounding (1e-16 / step) is below 1e-12, near enough that the error term (step^4) is as well. */
export const DIFFERENCE_STEP = 1e-3;

/**
 * d measure() / d values[index], by changing that element in place and putting it back.
 *
 * @param step the function must be smooth within two steps either side
 */
export function differentiate(
  measure: () => number,
  values: Float64Array,
  index: number,
  step: number = DIFFERENCE_STEP,
): number {
  const center = at(values, index);
  let sum = 0;
  for (const [steps, weight] of STENCIL) {
    values[index] = center + steps * step;
    sum += weight * measure();
  }
  values[index] = center;
  return sum / step;
}

/** The gradient of measure() with respect to all of `values`. */
export const differentiateAll = (
  measure: () => number,
  values: Float64Array,
  step: number = DIFFERENCE_STEP,
): Float64Array => values.map((_, index) => differentiate(measure, values, index, step));

/** Largest difference between two tensors, as a share of the largest magnitude in `expected` (at least 1e-3). */
export function relativeError(actual: ArrayLike<number>, expected: Float64Array): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3);
  const difference = expected.reduce((largest, value, i) => {
    const distance = Math.abs((actual[i] ?? Number.NaN) - value);
    return Number.isNaN(distance) ? Number.POSITIVE_INFINITY : Math.max(largest, distance);
  }, 0);
  return difference / scale;
}

/** sum of a * b: with random `b` as dOut, a layer's output becomes one number whose gradient tests all of backward. */
export const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * at(b, i), 0);
