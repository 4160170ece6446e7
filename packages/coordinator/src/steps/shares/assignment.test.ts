import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignShards, assignToGroups } from './assignment.js';

const speedList = fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 1, maxLength: 9 });
const timeOf = (ranges: readonly { begin: number; end: number }[], speeds: readonly number[]): number =>
  Math.max(...ranges.map(({ begin, end }, node) => (end - begin) / (speeds[node] as number)));

describe('assignShards', () => {
  it.each([
    [8, [1, 1], [4, 4]],
    [8, [1, 1, 1], [3, 3, 2]],
    [8, [3, 1], [6, 2]],
    [8, [1, 0.01], [8, 0]],
    [1, [1, 1], [1, 0]],
    [32, [1, 1.05], [16, 16]],
  ])('deals %i shards to speeds %o as %o', (shards, speeds, expected) => {
    expect(assignShards(shards, speeds).map(({ begin, end }) => end - begin)).toEqual(expected);
  });

  it.each([
    [8, [1, 1.8], [4, 4]],
    [8, [4, 1], [7, 1]],
    [16, [1, 1.3, 1], [8, 4, 4]],
  ])('gives %i shards to speeds %o in round ranges when the network sets the pace: %o', (shards, speeds, expected) => {
    expect(assignShards(shards, speeds, 3).map(({ begin, end }) => end - begin)).toEqual(expected);
  });

  it('gives groups round ranges before their nodes, when the network sets the pace', () => {
    const sizes = (groups: number[][]): number[] => assignToGroups(8, groups, 3).map(({ begin, end }) => end - begin);
    const speeds = [11, 8, 6, 7];
    // [0, 6) of the first two would be two sums of their leader
    expect(assignShards(8, speeds, 3).map(({ begin, end }) => end - begin)).toEqual([4, 2, 1, 1]);
    expect(sizes([speeds.slice(0, 2), speeds.slice(2)])).toEqual([2, 2, 2, 2]);
    expect(sizes([speeds])).toEqual([4, 2, 1, 1]);
  });

  it('deals to all nodes at once where round ranges of groups would make somebody late', () => {
    const groups = new Array<number[]>(10).fill(new Array<number>(10).fill(1));
    const sizes = assignToGroups(800, groups, 3).map(({ begin, end }) => end - begin);
    expect(sizes).toEqual(new Array<number>(100).fill(8));
  });

  it('deals every shard once, in order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), speedList, (shards, speeds) => {
        for (const ranges of [assignShards(shards, speeds), assignToGroups(shards, [speeds, [1, 2], [3]], 3)]) {
          let at = 0;
          for (const { begin, end } of ranges) {
            expect(begin).toBe(at);
            expect(end).toBeGreaterThanOrEqual(begin);
            at = end;
          }
          expect(at).toBe(shards);
        }
      }),
    );
  });

  it('makes nobody later than a greedy division would, one shard for each other node above a perfect one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), speedList, (shards, speeds) => {
        const total = speeds.reduce((sum, speed) => sum + speed, 0);
        const bound = (shards + speeds.length - 1) / total;
        expect(timeOf(assignShards(shards, speeds), speeds)).toBeLessThanOrEqual(bound * (1 + 1e-6));
      }),
    );
  });
});
