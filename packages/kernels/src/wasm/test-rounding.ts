/** a * b + c of float32s, rounded once, by whole numbers of any size: what every multiply-add is compared with. */

const toBits = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0] as number;
const fromBits = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0] as number;

/** A finite float32 as a whole number of 2^-149. */
function unitsOf(bits: number): bigint {
  const exponent = (bits >>> 23) & 0xff;
  const fraction = BigInt(bits & 0x7fffff);
  const units = exponent === 0 ? fraction : (fraction | 0x800000n) << BigInt(exponent - 1);
  return bits >>> 31 === 1 ? -units : units;
}

/** Bits of the float32 nearest to so many 2^-298, ties to even. */
function roundUnits(units: bigint): number {
  const sign = units < 0n ? 0x80000000 : 0;
  const magnitude = units < 0n ? -units : units;
  // the last bit of a float of this size, as a power of 2 above 2^-298: not below that of subnormals, 2^-149
  const shift = BigInt(Math.max(149, magnitude.toString(2).length - 24));
  let kept = magnitude >> shift;
  const rest = magnitude - (kept << shift);
  const half = 1n << (shift - 1n);
  if (rest > half || (rest === half && kept % 2n === 1n)) kept += 1n;
  const value = Number(kept) * 2 ** (Number(shift) - 298);
  return (sign | toBits(Math.fround(value))) >>> 0;
}

/** Bits of a * b + c, of the bits of finite a, b and c. */
export function exactMultiplyAdd(a: number, b: number, c: number): number {
  const sum = unitsOf(a) * unitsOf(b) + (unitsOf(c) << 149n);
  // the sign of a zero is that of IEEE 754's sum of signed zeros, which a double has too
  return sum === 0n ? toBits(fromBits(a) * fromBits(b) + fromBits(c)) : roundUnits(sum);
}
