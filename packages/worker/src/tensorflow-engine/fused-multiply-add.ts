/** float32's fused multiply-add, which JavaScript lacks: what the native kernels' inputs are computed with. */

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const LOW = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 0 : 1;

/** The 29 bits of a double that float32 has no room for, and where exactly half a unit of float32 stands in them. */
const REST = 0x1fffffff;
const HALF = 0x10000000;

/**
 * a * b + c, rounded once to float32. The product of two float32 is exact in a double, so only the sum is rounded; where
 * that rounding lands on the middle between two float32, what it dropped (Knuth's two-sum) says which one is nearer.
 *
 * @param a,b,c float32 values whose result is a normal number of float32
 */
export function fusedMultiplyAdd(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const part = sum - product;
  const dropped = product - (sum - part) + (c - part);
  if (dropped === 0) return Math.fround(sum);
  double[0] = sum;
  if (((words[LOW] as number) & REST) === HALF) moveTowards(dropped > 0 === sum > 0);
  return Math.fround(double[0] as number);
}

/** Moves the double by its last place, away from 0 or towards it; its last 29 bits are HALF, so nothing carries. */
function moveTowards(isAway: boolean): void {
  words[LOW] = (words[LOW] as number) + (isAway ? 1 : -1);
}
