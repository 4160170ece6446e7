import { expect, it } from 'vitest';
import { findNotFinite } from './finite.js';

it.each([0, 1, 3, 4, 5, 16, 19])('finds the first value of %i that is not finite, wherever it stands', (length) => {
  const values = Float32Array.from({ length }, (_, index) => (index % 2 === 0 ? -3e38 : 1e-45));
  expect(findNotFinite(values)).toBe(-1);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    for (let at = 0; at < length; at++) {
      const spoilt = values.slice();
      spoilt[at] = value;
      spoilt[length - 1] = value;
      expect(findNotFinite(spoilt)).toBe(at);
    }
  }
});
