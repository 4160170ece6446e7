import { expect, it } from 'vitest';
import { measureGrowth } from './memory-growth.ts';

/**
 * What V8's heaps swing by between collections: measured here, +20 MB from step 1,000 to step 11,000 and -20 MB to step
 * 40,000. One copy of the parameters kept at each step would be 260 MB over 10,000 steps.
 */
const SWING_BYTES = 48 * 2 ** 20;

it('RSS does not grow from step 1,000 to step 11,000', () => {
  expect(measureGrowth(11_000)).toBeLessThan(SWING_BYTES);
});

it('RSS does not grow from step 1,000 to step 40,000', () => {
  expect(measureGrowth(40_000)).toBeLessThan(SWING_BYTES);
});
