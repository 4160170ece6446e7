/** How shards are dealt to many equal nodes, and how many partial sums that makes: `assignShards` without its price. */
import { canonicalNodes, type ShardRange } from '@lockstep/core';

/**
 * The ranges that the coordinator's `assignShards` gives nodes of equal speed.
 *
 * @param slack how many times longer the slowest may take for the sake of round ranges
 */
export function dealEvenly(shards: number, nodes: number, slack = 1): ShardRange[] {
  const even = dealInOrder(shards, nodes, 1);
  if (slack === 1) return even;
  const round = dealInOrder(shards, nodes, slack);
  const countSums = (ranges: readonly ShardRange[]): number => ranges.flatMap(canonicalNodes).length;
  return countSums(round) < countSums(even) ? round : even;
}

function dealInOrder(shards: number, nodes: number, slack: number): ShardRange[] {
  const slowest = Math.ceil(shards / nodes) * slack * (1 + 1e-9);
  const ranges: ShardRange[] = [];
  let begin = 0;
  for (let later = nodes - 1; later >= 0; later--) {
    const end =
      later === 0 ? shards : roundEnd(begin, begin + Math.ceil((shards - begin) / (later + 1)), shards, later, slowest);
    ranges.push({ begin, end });
    begin = end;
  }
  return ranges;
}

function roundEnd(begin: number, end: number, shards: number, later: number, slowest: number): number {
  for (let unit = 2 ** Math.floor(Math.log2(Math.max(1, shards))); unit > 1; unit /= 2) {
    const rounded = Math.round(end / unit) * unit;
    const isShared = (rounded > begin || end === begin) && (shards - rounded >= later || rounded <= end);
    const isFast = rounded - begin <= slowest && Math.ceil((shards - rounded) / later) <= slowest;
    if (rounded >= begin && rounded <= shards && isShared && isFast) return rounded;
  }
  return end;
}

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
  const sums = ranges.map((range) => canonicalNodes(range).length);
  const [firstSums = 0] = sums;
  return {
    computing: sizes.filter((size) => size > 0).length,
    mostSums: Math.max(...sums),
    otherSums: sums.reduce((sum, one) => sum + one, 0) - firstSums,
    firstSums,
  };
}
