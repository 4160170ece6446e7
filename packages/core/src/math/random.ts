/**
 * Randomness without state: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3",
 * SC 2011). Every random number of a run is a function of (seed, purpose, stream, lane, index), so it does not matter
 * who draws it, when, or what was drawn before. The native kernels draw the same words from the same layout:
 *
 *     key     = [seed mod 2^32, floor(seed / 2^32)]
 *     counter = [index, lane, stream, purpose]
 */

/** What a random number is for; the last word of the counter. Part of the format of a run: never renumber. */
export const purposes = {
  /** stream = index of the parameter, lane = 0, index = element >> 2. */
  initialWeights: 1,
  /** stream = epoch, lane = 0, index = draw >> 2. */
  epochOrder: 2,
  /** stream = epoch, lane = number of the image, index = 0, or 1 for the draw of the centre crop. */
  augmentation: 3,
  /** Plus 256 times the layer's index; stream = step, lane = position in the batch, index = element >> 3: 16 bits for each. */
  dropout: 4,
} as const;

export type Purpose = (typeof purposes)[keyof typeof purposes];

/** Four random words of 32 bits. */
export type PhiloxBlock = Uint32Array;

/**
 * Writes the block of four words at one place of a purpose's sequence to `out`.
 *
 * @param seed integer from 0 to 2^53 - 1
 * @param stream,lane,index 32-bit words of the counter
 */
export function philox(
  seed: number,
  purpose: Purpose,
  stream: number,
  lane: number,
  index: number,
  out: PhiloxBlock,
): void {
  out[0] = index;
  out[1] = lane;
  out[2] = stream;
  out[3] = purpose;
  encryptCounter(seed >>> 0, Math.floor(seed / 2 ** 32), out);
}

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
/** Steps of the key schedule: the golden ratio and sqrt(3) - 1 in 32 bits. */
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** The Philox4x32-10 bijection: replaces the counter in `block` by its random words. Keys are unsigned 32-bit words. */
export function encryptCounter(key0: number, key1: number, block: PhiloxBlock): void {
  let c0 = block[0] as number;
  let c1 = block[1] as number;
  let c2 = block[2] as number;
  let c3 = block[3] as number;
  let k0 = key0 | 0;
  let k1 = key1 | 0;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  block[0] = c0;
  block[1] = c1;
  block[2] = c2;
  block[3] = c3;
}

/** Upper 32 bits of the 64-bit product of two unsigned 32-bit words, from products of 16-bit halves. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  // Each sum stays below 2^32 (products of halves are at most 2^32 - 2^17 + 1), so doubles hold them exactly.
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (carry >>> 16)) | 0;
}

/** Maps a word to [0, 1): its upper 24 bits over 2^24, exact in float32. */
export const toUniform = (word: number): number => (word >>> 8) / 2 ** 24;
