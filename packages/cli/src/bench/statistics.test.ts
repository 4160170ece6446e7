import { describe, expect, it } from 'vitest';
import { errorOfMedian, isSettled, median, summarizeValues } from './statistics.js';

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

describe('the error of a median', () => {
  it('is the standard error that it has for a normal distribution', () => {
    const values = [-0.675, 0.675, -3, 3, 0];
    expect(errorOfMedian(values)).toBeCloseTo(1.2533 / Math.sqrt(5), 3);
  });

  it('becomes smaller with the root of their number', () => {
    const four = [1, 2, 3, 4];
    const many = Array.from({ length: 400 }, (_, index) => 1 + (3 * index) / 399);
    expect(errorOfMedian(four) / errorOfMedian(many)).toBeCloseTo(10, 1);
  });

  it('is nothing for one value, or for values that do not differ', () => {
    expect(errorOfMedian([5])).toBe(0);
    expect(errorOfMedian([5, 5, 5])).toBe(0);
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
