import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fusedMultiplyAdd } from './fused-multiply-add.js';

/** A float32 that is not tiny, as an integer times 2^-60. */
const UNIT = 60;
const toUnits = (value: number): bigint => BigInt(Math.round(value * 2 ** 30)) << BigInt(UNIT - 30);

/** a * b + c exactly, then rounded to 24 bits, ties to even. Operands are multiples of 2^-30. */
function roundExactly(a: number, b: number, c: number): number {
  const exact = ((toUnits(a) * toUnits(b)) >> BigInt(UNIT)) + toUnits(c);
  const sign = exact < 0n ? -1 : 1;
  const magnitude = exact < 0n ? -exact : exact;
  const drop = BigInt(Math.max(0, magnitude.toString(2).length - 24));
  const half = drop > 0n ? 1n << (drop - 1n) : 0n;
  let kept = magnitude >> drop;
  const rest = magnitude - (kept << drop);
  if (rest > half || (rest === half && drop > 0n && kept % 2n === 1n)) kept += 1n;
  return sign * Number(kept) * 2 ** (Number(drop) - UNIT);
}

/** Multiples of 2^-30 with few bits, so that sums often end in the middle between two float32. */
const value = fc
  .tuple(fc.integer({ min: -(2 ** 24), max: 2 ** 24 }), fc.integer({ min: -30, max: 0 }))
  .map(([mantissa, exponent]) => mantissa * 2 ** exponent)
  .filter((x) => Number.isInteger(x * 2 ** 30));

describe('fusedMultiplyAdd', () => {
  it.each([
    ['a product and an addend that float32 holds', 3, 5, 7, 22],
    ['a tie that the dropped part decides upwards', 1 + 2 ** -23, 1 + 2 ** -23, 2 ** 24, 2 ** 24 + 2],
    ['a tie that stays a tie: to even', 1, 1, 2 ** 24, 2 ** 24],
    ['a cancellation that leaves the rounding of the product', 1 + 2 ** -12, 1 - 2 ** -12, -1, -(2 ** -24)],
  ])('%s', (_, a, b, c, expected) => {
    expect(fusedMultiplyAdd(a, b, c)).toBe(expected);
  });

  it('rounds once what rounding twice gets wrong: a sum that only its first rounding puts in the middle', () => {
    // the product is 2^-24 - 2^-70: behind an odd last bit of c just less than half of one
    const [a, b, c] = [1 + 2 ** -23, 2 ** -24 * (1 - 2 ** -23), 1 + 2 ** -23];
    expect(Math.fround(a * b + c)).toBe(1 + 2 ** -22);
    expect(fusedMultiplyAdd(a, b, c)).toBe(1 + 2 ** -23);
  });

  it('is the exact result rounded once, for any operands', () => {
    fc.assert(
      fc.property(value, value, value, (a, b, c) => {
        const [x, y, z] = [Math.fround(a), Math.fround(b), Math.fround(c)];
        fc.pre([x, y, z].every((v) => Number.isInteger(v * 2 ** 30)));
        expect(fusedMultiplyAdd(x, y, z) + 0).toBe(roundExactly(x, y, z) + 0);
      }),
      { numRuns: 3000 },
    );
  });
});
