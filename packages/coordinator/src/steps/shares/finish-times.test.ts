import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dealCounts, FinishTimes } from './finish-times.js';

const speedList = fc.array(fc.oneof(fc.double({ min: 0.01, max: 100, noNaN: true }), fc.constantFrom(1, 2, 3)), {
  minLength: 1,
  maxLength: 12,
});

/** One shard after the other, to whoever would finish it first; of several, to the first. */
function dealOneByOne(shards: number, speeds: readonly number[]): number[] {
  const counts = speeds.map(() => 0);
  const timeAfter = (node: number): number => ((counts[node] as number) + 1) / (speeds[node] as number);
  for (let shard = 0; shard < shards; shard++) {
    let best = 0;
    for (let node = 1; node < speeds.length; node++) if (timeAfter(node) < timeAfter(best) * (1 - 1e-12)) best = node;
    counts[best] = (counts[best] as number) + 1;
  }
  return counts;
}

describe('dealCounts', () => {
  it('gives each shard to whoever would finish it first', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), speedList, (shards, speeds) => {
        expect(dealCounts(shards, speeds)).toEqual(dealOneByOne(shards, speeds));
      }),
    );
  });
});

describe('FinishTimes', () => {
  it('is over when the last shard is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), speedList, (shards, speeds) => {
        const slowest = Math.max(
          ...dealOneByOne(shards, speeds).map((count, node) => count / (speeds[node] as number)),
        );
        expect(new FinishTimes(speeds).timeFor(shards) / slowest).toBeCloseTo(1, 8);
      }),
    );
  });

  it('is later without a node', () => {
    const times = new FinishTimes([2, 1, 1]);
    expect(times.timeFor(8)).toBeCloseTo(2, 6);
    times.remove(2);
    expect(times.timeFor(8)).toBeCloseTo(4, 6);
    expect(times.doneBy(3.5)).toBe(6);
    expect(times.timeFor(0)).toBe(0);
  });
});
