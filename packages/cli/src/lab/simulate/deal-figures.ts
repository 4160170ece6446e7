/** How many partial sums dealt shards make. */
import { canonicalPartials, type ShardRange } from '@lockstep/core/run';

export interface DealFigures {
  /** Nodes that have shards. */
  readonly computing: number;
  /** Partial sums of the node that has most. */
  readonly mostSums: number;
  /** Partial sums of all nodes but the first. */
  readonly otherSums: number;
  readonly firstSums: number;
}

export function describeDeal(ranges: readonly ShardRange[]): DealFigures {
  const sizes = ranges.map(({ begin, end }) => end - begin);
  const sums = ranges.map((range) => canonicalPartials(range).length);
  const [firstSums = 0] = sums;
  return {
    computing: sizes.filter((size) => size > 0).length,
    mostSums: Math.max(...sums),
    otherSums: sums.reduce((sum, one) => sum + one, 0) - firstSums,
    firstSums,
  };
}
