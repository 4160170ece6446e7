/**
 * bf16: the upper half of a float32 (sign, 8 bits of exponent, 7 of fraction). A rounded float is still a float32, whose
 * lower 16 bits are 0. native/bf16.h has the same.
 */

const NOT_A_NUMBER = 0x7fc0_0000;
const INFINITY = 0x7f80_0000;

/**
 * Rounds floats to bf16 in place: to nearest, ties to even, subnormal numbers too; what is too large becomes infinity,
 * every NaN 0x7fc0 (PyTorch's c10/util/BFloat16.h).
 */
export function roundToBf16(values: Float32Array): void {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < words.length; i++) {
    const bits = words[i] as number;
    const isNumber = (bits & 0x7fff_ffff) <= INFINITY;
    words[i] = isNumber ? (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff_0000 : NOT_A_NUMBER;
  }
}
