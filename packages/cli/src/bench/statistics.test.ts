import { describe, expect, it } from 'vitest';
import { median, summarizeValues } from './statistics.js';

describe('median', () => {
  it.each([
    [[3], 3],
    [[9, 1, 5], 5],
    [[4, 1, 2, 10], 3],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('is not a number for nothing', () => {
    expect(median([])).toBeNaN();
  });

  it('leaves its values in their order', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

it('summarizes values by median and range', () => {
  expect(summarizeValues([5, 1, 9, 2, 4])).toEqual({ median: 4, min: 1, max: 9 });
});
