import { describe, expect, it } from 'vitest';
import { intervalOfMedian, isSettled, median, summarizeValues } from './statistics.js';

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

describe('the interval of a median', () => {
  const ofRanks = (count: number): unknown =>
    intervalOfMedian(Array.from({ length: count }, (_, index) => count - index));

  // as in tables of the sign test: the chance is 94, 93, 94 and 96%
  it.each([
    [5, 1, 5],
    [8, 2, 7],
    [11, 3, 9],
    [20, 6, 15],
    // 1.645 standard deviations, of half the root of their number, from the middle
    [4000, 1948, 4001 - 1948],
  ])('of %i values goes from the %i. to the %i.', (count, low, high) => {
    expect(ofRanks(count)).toEqual({ low, high });
  });

  it('is all of fewer than five', () => {
    expect(ofRanks(1)).toEqual({ low: 1, high: 1 });
    expect(ofRanks(4)).toEqual({ low: 1, high: 4 });
  });
});

describe('a median is settled', () => {
  it('when there are as many values as asked for, and it is known well enough', () => {
    expect(isSettled([1, 1, 1], 4, 0.1)).toBe(false);
    expect(isSettled([1, 1, 1, 1], 4, 0.1)).toBe(true);
    expect(isSettled([1, 2, 3, 4], 4, 0.1)).toBe(false);
  });

  it('when there are four times as many as asked for', () => {
    const values = [1, 2, 3, 4, 1, 2, 3, 4];
    expect(isSettled(values.slice(1), 2, 0.1)).toBe(false);
    expect(isSettled(values, 2, 0.1)).toBe(true);
  });
});

it('summarizes values by median and range', () => {
  expect(summarizeValues([5, 1, 9, 2, 4])).toEqual({ median: 4, min: 1, max: 9 });
});
