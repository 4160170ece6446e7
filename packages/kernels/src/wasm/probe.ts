/**
 * Whether a WebAssembly module rounds a multiply-add once. The engine decides that, and no version says it: it is asked
 * for products and sums where every other way gives other bits.
 */

/** Bits of float32s [a, b, c, a * b + c rounded once]. */
export const PROBES: readonly (readonly [a: number, b: number, c: number, sum: number])[] = [
  [0x3f800800, 0x3f800800, 0xbf801000, 0x33800000], // cancels to what the product lost
  [0xbf800800, 0x3f800800, 0x3f801000, 0xb3800000], // the same, of the other sign
  [0x3f800800, 0x3f800800, 0x4b800000, 0x4b800001], // a tie that the product's last bit breaks upwards
  [0x3f800001, 0x3f800001, 0x33000000, 0x3f800002], // double rounding: just above a tie of floats
  [0x3f800800, 0x3f800800, 0x0d800000, 0x3f801001], // a tie of floats, broken by less than a double holds: up
  [0x3f800800, 0x3f800800, 0x8d800000, 0x3f801000], // the same: down
  [0x3f800800, 0x3f800800, 0x00000000, 0x3f801000], // a tie, to even
  [0x3f801800, 0x3f800800, 0x00000000, 0x3f802002], // a tie, to even, upwards
  [0x1a000000, 0x1a800000, 0x00000000, 0x00000001], // a subnormal product
  [0x1a000000, 0x1a000000, 0x00000000, 0x00000000], // half of the smallest: to zero
  [0x1a000000, 0x1a000001, 0x00000000, 0x00000001], // the same with a breath more: the smallest
  [0x1cc00000, 0x21800000, 0x80400000, 0x80340000], // a sum that is subnormal
  [0x1a000000, 0x1a000000, 0x00000003, 0x00000004], // a subnormal tie, to even, upwards
  [0x1a000000, 0x1a000000, 0x00000002, 0x00000002], // a subnormal tie, to even, downwards
  [0x1a000000, 0x1a000001, 0x00000002, 0x00000003], // the same, broken by the product
  [0x00000001, 0x40400000, 0x80000002, 0x00000001], // a subnormal factor
  [0x00000000, 0x3f800000, 0x80000000, 0x00000000], // zero: + times + plus -0
  [0x80000000, 0x3f800000, 0x80000000, 0x80000000], // zero: -0 stays
  [0x40400000, 0x40a00000, 0xc1700000, 0x00000000], // zero: exact cancellation is +0
  [0x97800000, 0x17800000, 0x00000000, 0x80000000], // zero: of a negative product that vanishes
  [0x7f7fffff, 0x3f800000, 0x73000000, 0x7f800000], // overflow to infinity
  [0x7f7fffff, 0x3f800000, 0x72800000, 0x7f7fffff], // just below overflow
  [0x7f7fffff, 0x40000000, 0xff7fffff, 0x7f7fffff], // a product beyond the largest, brought back
  [0xff7fffff, 0x40000000, 0x7f7fffff, 0xff7fffff], // the same, negative
];

/** What the module's export `runProbe` works on, by addresses. */
export type MultiplyAdd = (a: Float32Array, b: Float32Array, c: Float32Array) => Float32Array;

/** Whether all probes give the bits of one rounding, in every lane. */
export function roundsOnce(multiplyAdd: MultiplyAdd): boolean {
  const LANES = 4;
  const column = (k: number): Float32Array =>
    new Float32Array(Uint32Array.from(PROBES.flatMap((row) => Array(LANES).fill(row[k]))).buffer);
  const sums = new Uint32Array(multiplyAdd(column(0), column(1), column(2)).buffer);
  return sums.every((bits, i) => bits === PROBES[Math.floor(i / LANES)]?.[3]);
}
