import { describe, expect, it } from 'vitest';
import { PROBES, roundsOnce } from './probe.js';
import { exactMultiplyAdd } from './test-rounding.js';

type Scalar = (a: number, b: number, c: number) => number;

/** Lanes computed by a function of numbers. */
const lanes = (scalar: Scalar) => (a: Float32Array, b: Float32Array, c: Float32Array) =>
  a.map((value, i) => scalar(value, b[i] as number, c[i] as number));

const bitsOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0] as number;
const once: Scalar = (a, b, c) => {
  const bits = exactMultiplyAdd(bitsOf(a), bitsOf(b), bitsOf(c));
  return new Float32Array(Uint32Array.of(bits).buffer)[0] as number;
};

describe('the probes of a multiply-add', () => {
  it('are sums rounded once, as exact arithmetic has them', () => {
    for (const [a, b, c, sum] of PROBES) expect(exactMultiplyAdd(a, b, c)).toBe(sum);
  });

  it('take one rounding for right', () => {
    expect(roundsOnce(lanes(once))).toBe(true);
  });

  it.each<[string, Scalar]>([
    ['a product that is rounded first', (a, b, c) => Math.fround(Math.fround(a * b) + c)],
    ['a sum that is rounded to double first', (a, b, c) => Math.fround(a * b + c)],
    ['subnormal numbers that count as zero', (a, b, c) => (Math.abs(once(a, b, c)) < 2 ** -126 ? 0 : once(a, b, c))],
    ['zeros without a sign', (a, b, c) => once(a, b, c) + 0],
    ['the largest number for infinity', (a, b, c) => Math.max(-3.4028234e38, Math.min(3.4028234e38, once(a, b, c)))],
  ])('do not take %s for right', (_, scalar) => {
    expect(roundsOnce(lanes(scalar))).toBe(false);
  });

  it('look at every lane', () => {
    const lastLaneTwice = (a: Float32Array, b: Float32Array, c: Float32Array): Float32Array => {
      const right = lanes(once)(a, b, c);
      const wrong = lanes((x, y, z) => Math.fround(x * y + z))(a, b, c);
      return right.map((value, i) => (i % 4 === 3 ? (wrong[i] as number) : value));
    };
    expect(roundsOnce(lastLaneTwice)).toBe(false);
  });
});
