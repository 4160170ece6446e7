/** Who does what in a step: shards to compute, nodes to add up, slices to update. The same for every step of one size. */
import {
  ALIGNMENT,
  canonicalNodes,
  type ContributionLayout,
  dealShards,
  planFold,
  type ShardRange,
  shardCount,
} from '@lockstep/core';
import { pieceKind } from '@lockstep/kernels';
import type { MemoryPlan } from './memory-plan.js';

export interface StepPlan {
  readonly samples: number;
  /** Shards of each worker. */
  readonly ranges: readonly ShardRange[];
  /** Arena offset / 16 of each node of the step, in shard order. */
  readonly nodes: Int32Array;
  /** How the nodes are added up. */
  readonly fold: Int32Array;
}

/** Plans a step of so many samples. */
export function planStep(samples: number, shardSize: number, workers: number, memory: MemoryPlan): StepPlan {
  const ranges = dealShards(shardCount(samples, shardSize), workers);
  const nodes = ranges.map(canonicalNodes);
  const offsets = nodes.flatMap((own, worker) => own.map((_, slot) => memory.nodesAt(worker) + slot * memory.vector));
  return { samples, ranges, nodes: Int32Array.from(offsets), fold: Int32Array.from(planFold(nodes.flat())) };
}

const PIECE_FIELDS = 4;

/**
 * Cuts the state into one slice per worker, for reduction and update.
 *
 * @returns for each worker [kind, offset, length, values per sample] of its pieces; the result goes to worker 0
 */
export function planPieces(layout: ContributionLayout, workers: number): Int32Array[] {
  const each = Math.ceil(layout.length / ALIGNMENT / workers) * ALIGNMENT;
  const pieces: number[][] = Array.from({ length: workers }, () => []);
  const owner = (offset: number): number[] => pieces[Math.min(workers - 1, Math.floor(offset / each))] as number[];
  for (const segment of layout.segments) {
    if (segment.kind === 'statistics') {
      owner(segment.offset).push(pieceKind.statistics, segment.offset, segment.channels, segment.valuesPerSample);
    } else if (segment.kind === 'result') {
      (pieces[0] as number[]).push(pieceKind.sums, segment.offset, ALIGNMENT, 0);
    } else {
      const end = segment.offset + Math.ceil(segment.size / ALIGNMENT) * ALIGNMENT;
      for (let at = segment.offset; at < end; ) {
        const next = Math.min(end, (Math.floor(at / each) + 1) * each);
        owner(at).push(pieceKind.parameters, at, next - at, 0);
        at = next;
      }
    }
  }
  return pieces.map((list) => Int32Array.from(list));
}

export { PIECE_FIELDS };
