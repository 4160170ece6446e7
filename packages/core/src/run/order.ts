/** The order in which an epoch visits the samples: a function of (seed, epoch). */
import { assert } from '../errors/errors.js';
import { philox, purposes } from '../math/random.js';

/**
 * A permutation of 0..count-1, by Fisher-Yates from the top: for i = count-1 down to 1, swap elements i and
 * j = floor(word * (i + 1) / 2^32). The k-th draw takes word k mod 4 of the block at index floor(k / 4).
 *
 * Bias: each j gets either floor or ceil of 2^32 / (i + 1) words, so its probability is off by less than 2^-32, that
 * is a share of (i + 1) / 2^32: 1.4e-5 at the worst for 60,000 samples. Rejecting words would remove it, and would make
 * the place of a draw depend on the draws before it.
 *
 * @param epoch from 0
 * @param out filled and returned; made when left out
 */
export function epochOrder(
  seed: number,
  epoch: number,
  count: number,
  out: Int32Array = new Int32Array(count),
): Int32Array {
  assert(out.length === count, () => `an order of ${count} samples was to go into an array of ${out.length}`);
  for (let i = 0; i < count; i++) out[i] = i;
  const block = new Uint32Array(4);
  for (let i = count - 1, draw = 0; i > 0; i--, draw++) {
    if (draw % 4 === 0) philox(seed, purposes.epochOrder, epoch, 0, draw >>> 2, block);
    const j = Math.floor(((block[draw & 3] as number) * (i + 1)) / 2 ** 32);
    const taken = out[i] as number;
    out[i] = out[j] as number;
    out[j] = taken;
  }
  return out;
}
