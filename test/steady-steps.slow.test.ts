import { expect, it } from 'vitest';
import { GROWTH_BYTES, measureGrowth } from './memory-growth.ts';

it('RSS does not grow from step 1,000 to step 11,000', () => {
  expect(measureGrowth(11_000)).toBeLessThan(GROWTH_BYTES);
});
