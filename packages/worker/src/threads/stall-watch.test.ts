import { describe, expect, it } from 'vitest';
import { findLate } from './stall-watch.js';

describe('findLate', () => {
  it.each([
    ['the one behind', [5, 4, 5], [1]],
    ['all that are behind', [3, 9, 4], [0, 2]],
    ['those that never began', [0, 1, 0], [0, 2]],
    ['everybody when all are equal: then none waits for another', [6, 6, 6], [0, 1, 2]],
    ['a lone worker', [2], [0]],
  ])('blames %s', (_, reached, late) => {
    expect(findLate(reached)).toEqual(late);
  });
});
