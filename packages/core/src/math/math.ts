/**
 * Functions that JavaScript leaves to the implementation (Math.cos and Math.pow have changed between versions of V8),
 * written with + - * / alone, which IEEE 754 fixes to the last bit. Everything that feeds a training result uses these.
 */
import { assert } from '../errors/errors.js';

/** Pi, rounded to double. */
export const PI = 3.141592653589793;

/** pi/2 in two parts. The upper has 33 bits, so that a small whole number times it is exact; their sum is good to 2^-87. */
const HALF_PI_HIGH = 6746518852 / 2 ** 32;
const HALF_PI_LOW = 6.077100506506192601475e-11;

/** Where 33 bits of pi/2 times the number of quarter turns still fit in 53 bits. */
const COSINE_LIMIT = 2 ** 20;

/**
 * cos(x), x in radians. The error against the true value is below 3e-16 for |x| <= 4 (there is one rounding of each of
 * the leading terms), and below 1e-15 for every |x| <= 2^20.
 */
export function cosine(x: number): number {
  assert(Math.abs(x) <= COSINE_LIMIT, () => `cosine(${x}) is out of its range of +-${COSINE_LIMIT}`);
  const quarterTurns = Math.round((x * 2) / PI);
  const rest = x - quarterTurns * HALF_PI_HIGH - quarterTurns * HALF_PI_LOW;
  switch (((quarterTurns % 4) + 4) % 4) {
    case 0:
      return cosineNearZero(rest);
    case 1:
      return -sineNearZero(rest);
    case 2:
      return -cosineNearZero(rest);
    default:
      return sineNearZero(rest);
  }
}

/** Taylor's series to x^16, for |x| <= pi/4: what is left out is below (pi/4)^18 / 18! = 2.1e-18. */
function cosineNearZero(x: number): number {
  const z = x * x;
  return 1 - (z / 2) * (1 - (z / 12) * (1 - (z / 30) * (1 - (z / 56) * (1 - (z / 90) * seriesTail(z)))));
}

/** The terms of the cosine from x^12 on, as a factor. */
const seriesTail = (z: number): number => 1 - (z / 132) * (1 - (z / 182) * (1 - z / 240));

/** Taylor's series to x^17, for |x| <= pi/4: what is left out is below (pi/4)^19 / 19! = 8.4e-20. */
function sineNearZero(x: number): number {
  const z = x * x;
  const tail = 1 - (z / 110) * (1 - (z / 156) * (1 - (z / 210) * (1 - z / 272)));
  return x * (1 - (z / 6) * (1 - (z / 20) * (1 - (z / 42) * (1 - (z / 72) * tail))));
}

/**
 * base^exponent by repeated squaring, from the lowest bit of the exponent up.
 * Every squaring doubles the relative error so far and adds half a unit: in all it stays below exponent * 2^-52, as long
 * as nothing underflows (the absolute error is then below 2^-1022).
 *
 * @param exponent whole number from 0 to 2^53 - 1
 */
export function power(base: number, exponent: number): number {
  assert(Number.isSafeInteger(exponent) && exponent >= 0, () => `power to the ${exponent}, not a whole number >= 0`);
  let result = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}
