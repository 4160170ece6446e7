import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupReplicas } from './groups.js';

describe('groups of replicas', () => {
  it.each([
    [1, [[0]]],
    [2, [[0, 1]]],
    [3, [[0, 1], [2]]],
    [
      4,
      [
        [0, 1],
        [2, 3],
      ],
    ],
    [
      5,
      [
        [0, 1, 2],
        [3, 4],
      ],
    ],
    [
      7,
      [
        [0, 1],
        [2, 3, 4],
        [5, 6],
      ],
    ],
    [
      8,
      [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
      ],
    ],
  ])('of %i nodes', (count, expected) => {
    expect(groupReplicas(Array.from({ length: count }, (_, id) => id))).toEqual(expected);
  });

  it('hold everybody once, in order, and leave a leader little more than twice the square root of their number to talk to', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1025 }), (count) => {
        const replicas = Array.from({ length: count }, (_, index) => 3 * index);
        const groups = groupReplicas(replicas);
        expect(groups.flat()).toEqual(replicas);
        const most = Math.max(...groups.map(({ length }) => length)) - 1 + groups.length - 1;
        expect(most).toBeLessThanOrEqual(Math.max(2 * Math.ceil(Math.sqrt(count)), 2.13 * Math.sqrt(count)) - 2);
      }),
    );
  });
});
