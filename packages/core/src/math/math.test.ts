import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cosine, PI, power } from './math.js';

const bits = (value: number): string => {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, '0');
};

/** The error that the docstring promises, plus that of Math.cos in V8 (under one unit in the last place of 1). */
const COSINE_TOLERANCE = 1e-15;

describe('cosine', () => {
  it.each([
    [0, '3ff0000000000000'],
    [0.5, '3fec1528065b7d50'],
    [1, '3fe14a280fb5068c'],
    [2, 'bfdaa22657537205'],
    [2.5, 'bfe9a2f7ef858b7d'],
    [3, 'bfefae04be85e5d2'],
    [PI, 'bff0000000000000'],
    [-1, '3fe14a280fb5068c'],
  ])('gives the true value of cos(%d), rounded to double', (x, expected) => {
    expect(bits(cosine(x))).toBe(expected);
  });

  it('gives known bits where they are not the nearest double', () => {
    expect([PI / 2, 100].map((x) => bits(cosine(x)))).toEqual(['3c91a62633100000', '3feb981dbf665fe0']);
  });

  it('is within 1e-15 of Math.cos over all of its range', () => {
    const angle = fc.oneof(
      fc.double({ min: -4, max: 4, noNaN: true }),
      fc.double({ min: -(2 ** 20), max: 2 ** 20, noNaN: true }),
    );
    fc.assert(
      fc.property(angle, (x) => {
        expect(Math.abs(cosine(x) - Math.cos(x))).toBeLessThan(COSINE_TOLERANCE);
      }),
      { numRuns: 5000 },
    );
  });

  it('is within 1e-15 of Math.cos around every quarter turn', () => {
    for (let turn = -16; turn <= 16; turn++) {
      for (const x of [turn * (PI / 4) - 1e-9, turn * (PI / 4), turn * (PI / 4) + 1e-9]) {
        expect(Math.abs(cosine(x) - Math.cos(x))).toBeLessThan(COSINE_TOLERANCE);
      }
    }
  });

  it('refuses what is out of range', () => {
    expect(() => cosine(2 ** 21)).toThrow('cosine(2097152) is out of its range of +-1048576');
    expect(() => cosine(Number.NaN)).toThrow('cosine(NaN)');
  });
});

describe('power', () => {
  it.each([
    [2, 0, 1],
    [2, 10, 1024],
    [-3, 3, -27],
    [0, 0, 1],
    [1.5, 4, 5.0625],
    [0.5, 1074, 2 ** -1074],
    [0.999, 1_000_000_000, 0],
  ])('%d to the %i is %d', (base, exponent, result) => {
    expect(power(base, exponent)).toBe(result);
  });

  it.each([
    [0.9, 3, '3fe753f7ced91688'],
    [0.999, 1000, '3fd788526411edac'],
    [0.15, 2, '3f970a3d70a3d70a'],
  ])('gives known bits for %d to the %i', (base, exponent, expected) => {
    expect(bits(power(base, exponent))).toBe(expected);
  });

  it('is within exponent * 2^-52 of Math.pow', () => {
    const base = fc.double({ min: 0.9, max: 1.1, noNaN: true });
    fc.assert(
      fc.property(base, fc.integer({ min: 1, max: 5000 }), (base, exponent) => {
        // Math.pow may itself be one unit off.
        expect(Math.abs(power(base, exponent) / base ** exponent - 1)).toBeLessThanOrEqual((exponent + 1) * 2 ** -52);
      }),
    );
  });

  it('refuses a fraction', () => {
    expect(() => power(2, 0.5)).toThrow('power to the 0.5, not a whole number >= 0');
  });
});
