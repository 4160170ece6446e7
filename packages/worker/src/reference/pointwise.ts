/** Layers that work on each element alone. */
import { assert } from '@lockstep/core/errors';
import { at } from './tensor.js';

/** max(0, input). */
export const reluForward = (input: Float64Array): Float64Array => input.map((value) => Math.max(0, value));

/** PyTorch's choice at 0: no gradient. */
export const reluBackward = (input: Float64Array, dOut: Float64Array): Float64Array =>
  dOut.map((d, i) => (at(input, i) > 0 ? d : 0));

/**
 * Dropout with a given mask (1 = kept): kept elements are scaled by 1/(1-p), the others are 0. It is linear, so the
 * same function takes the gradient of the output to the gradient of the input.
 */
export function applyDropout(values: Float64Array, mask: Uint8Array, p: number): Float64Array {
  assert(mask.length === values.length, () => `a mask of ${mask.length} elements for ${values.length} values`);
  return values.map((value, i) => (mask[i] === 1 ? value / (1 - p) : 0));
}
