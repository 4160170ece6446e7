import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearestName } from './nearest.js';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['lenet', 'lenet5', 1],
    ['flaw', 'lawn', 2],
  ])('from %j to %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it('is a metric', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (a, b, c) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
      }),
    );
  });
});

describe('nearestName', () => {
  it.each([
    ['tiny', 'tiny6k'],
    ['LeNet', 'lenet5'],
    ['gap19', 'gap19k'],
  ])('finds for %s the model %s', (name, expected) => {
    expect(nearestName(name, ['gap19k', 'tiny6k', 'lenet5'])).toBe(expected);
  });

  it('takes the first of equally near names', () => {
    expect(nearestName('ac', ['ab', 'aa'])).toBe('ab');
  });

  it('finds nothing among no candidates', () => {
    expect(nearestName('a', [])).toBeUndefined();
  });
});
