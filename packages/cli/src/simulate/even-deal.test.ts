import { assignShards } from '@lockstep/coordinator';
import { canonicalNodes } from '@lockstep/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dealEvenly, describeDeal } from './even-deal.js';

describe('dealEvenly', () => {
  it('gives the ranges that the coordinator gives nodes of equal speed', () => {
    const cases = fc.record({
      shards: fc.integer({ min: 1, max: 80 }),
      nodes: fc.integer({ min: 1, max: 20 }),
      slack: fc.constantFrom(1, 3),
    });
    fc.assert(
      fc.property(cases, ({ shards, nodes, slack }) => {
        expect(dealEvenly(shards, nodes, slack)).toEqual(assignShards(shards, new Array<number>(nodes).fill(1), slack));
      }),
      { numRuns: 300 },
    );
  });

  it('counts the sums that travel: three nodes of a batch of eight shards', () => {
    const ranges = dealEvenly(8, 3);
    expect(ranges).toEqual([
      { begin: 0, end: 3 },
      { begin: 3, end: 6 },
      { begin: 6, end: 8 },
    ]);
    expect(ranges.map((range) => canonicalNodes(range).length)).toEqual([2, 2, 1]);
    expect(describeDeal(ranges)).toEqual({ computing: 3, mostSums: 2, otherSums: 3, firstSums: 2 });
  });

  it('leaves nodes without shards where there are more nodes than shards', () => {
    expect(describeDeal(dealEvenly(8, 11)).computing).toBe(8);
  });
});
