import { assignShards } from '@lockstep/coordinator/steps';
import { expect, it } from 'vitest';
import { describeDeal } from './deal-figures.js';

it('counts the sums that travel: three nodes of a batch of eight shards', () => {
  const ranges = [
    { begin: 0, end: 3 },
    { begin: 3, end: 6 },
    { begin: 6, end: 8 },
  ];
  expect(assignShards(8, [1, 1, 1])).toEqual(ranges);
  // 0-1 and 2; 3 and 4-5; 6-7
  expect(describeDeal(ranges)).toEqual({ computing: 3, mostSums: 2, otherSums: 3, firstSums: 2 });
});

it('counts nodes that have shards', () => {
  expect(describeDeal(assignShards(8, new Array<number>(11).fill(1))).computing).toBe(8);
});
