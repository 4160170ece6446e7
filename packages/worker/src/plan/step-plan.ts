/** Who does what in a step: shards to compute, partials to add up, slices to update. The same for every step of one size. */

import type { Layer } from '@lockstep/core/model';
import {
  ALIGNMENT,
  align,
  type ContributionLayout,
  canonicalPartials,
  dealShards,
  type Freeze,
  planFold,
  type Region,
  type ShardRange,
  type Span,
  shardCount,
  splitRounded,
} from '@lockstep/core/run';
import { pieceKind, SQUARES_CHUNK } from '@lockstep/kernels';
import type { MemoryPlan } from './memory-plan.js';

export interface StepPlan {
  readonly samples: number;
  /** Shards of each worker. */
  readonly ranges: readonly ShardRange[];
  /** Arena offset / 16 of each partial of the step, in shard order. */
  readonly partials: Int32Array;
  /** How the partials are added up. */
  readonly fold: Int32Array;
}

/** Plans a step of so many samples. */
export function planStep(samples: number, shardSize: number, workers: number, memory: MemoryPlan): StepPlan {
  const ranges = dealShards(shardCount(samples, shardSize), workers);
  const partials = ranges.map(canonicalPartials);
  const offsets = partials.flatMap((own, worker) =>
    own.map((_, index) => memory.partialsAt(worker) + index * memory.vector),
  );
  return { samples, ranges, partials: Int32Array.from(offsets), fold: Int32Array.from(planFold(partials.flat())) };
}

const PIECE_FIELDS = 4;

/**
 * Whether a region keeps its values: a frozen parameter, the statistics of a frozen batch norm. Its bits are in both
 * versions of the state from the start, and no update touches them.
 */
export function isKept(region: Region, layers: readonly Layer[], freeze: Freeze): boolean {
  if (region.kind === 'result') return false;
  if (region.kind === 'parameter') return freeze.names.has(region.parameter.name);
  return freeze.isLayerFrozen(layers[region.layerIndex] as Layer);
}

/**
 * Cuts the state into one slice per worker, for reduction and update. What is frozen is in no slice.
 *
 * @returns for each worker [kind, offset, length, values per sample] of its pieces; the result goes to worker 0
 */
export function planPieces(
  layout: ContributionLayout,
  workers: number,
  isFrozen: (region: Region) => boolean = () => false,
): Int32Array[] {
  const each = align(layout.length / workers);
  const pieces: number[][] = Array.from({ length: workers }, () => []);
  const owner = (offset: number): number[] => pieces[Math.min(workers - 1, Math.floor(offset / each))] as number[];
  for (const region of layout.regions) {
    if (isFrozen(region)) continue;
    if (region.kind === 'statistics') {
      owner(region.offset).push(pieceKind.statistics, region.offset, region.channels, region.valuesPerSample);
    } else if (region.kind === 'result') {
      (pieces[0] as number[]).push(pieceKind.sums, region.offset, ALIGNMENT, 0);
    } else {
      const end = region.offset + align(region.size);
      for (let at = region.offset; at < end; ) {
        const next = Math.min(end, (Math.floor(at / each) + 1) * each);
        owner(at).push(pieceKind.parameters, at, next - at, 0);
        at = next;
      }
    }
  }
  return pieces.map((list) => Int32Array.from(list));
}

/** As `planPieces`, for floats [offset, offset + length), which must not cut statistics. */
export function planPiecesOf(
  layout: ContributionLayout,
  { offset, length }: { readonly offset: number; readonly length: number },
  workers: number,
  isFrozen: (region: Region) => boolean,
): Int32Array[] {
  const each = align(length / workers);
  const pieces: number[][] = Array.from({ length: workers }, () => []);
  for (const region of layout.regions) {
    const begin = Math.max(offset, region.offset);
    const end = Math.min(offset + length, region.offset + align(region.size));
    if (begin >= end || isFrozen(region)) continue;
    for (let at = begin; at < end; ) {
      const worker = Math.min(workers - 1, Math.floor((at - offset) / each));
      const next = region.kind === 'parameter' ? Math.min(end, offset + (worker + 1) * each) : end;
      (pieces[worker] as number[]).push(...describePiece(region, at, next));
      at = next;
    }
  }
  return pieces.map((list) => Int32Array.from(list));
}

function describePiece(region: Region, begin: number, end: number): number[] {
  if (region.kind === 'parameter') return [pieceKind.parameters, begin, end - begin, 0];
  if (region.kind === 'result') return [pieceKind.sums, begin, end - begin, 0];
  return [pieceKind.statistics, region.offset, region.channels, region.valuesPerSample];
}

/** Pieces that add up floats [offset, offset + length) and keep the sums: what is rounded apart from the rest. */
export const planSums = (
  { offset, length }: { readonly offset: number; readonly length: number },
  rounded: readonly Span[],
): Int32Array =>
  Int32Array.from(
    splitRounded(offset, length, rounded).flatMap(({ begin, end, isRounded }) => [
      isRounded ? pieceKind.gradients : pieceKind.sums,
      begin,
      end - begin,
      0,
    ]),
  );

/** Chunks of the gradient whose squares are added up, to clip its norm: the same for any number of workers. */
export interface SquaresPlan {
  readonly count: number;
  /** For each worker [index, offset, length] of its chunks. */
  readonly chunks: readonly Int32Array[];
}

/** Cuts every trained parameter, from its start, into chunks of SQUARES_CHUNK floats, and deals them out in ranges. */
export function planSquares(
  layout: ContributionLayout,
  workers: number,
  isFrozen: (region: Region) => boolean,
): SquaresPlan {
  const all: number[][] = [];
  for (const region of layout.regions) {
    if (region.kind !== 'parameter' || isFrozen(region)) continue;
    for (let at = 0; at < region.size; at += SQUARES_CHUNK) {
      all.push([all.length, region.offset + at, Math.min(SQUARES_CHUNK, region.size - at)]);
    }
  }
  const each = Math.ceil(all.length / workers);
  const chunks = Array.from({ length: workers }, (_, worker) =>
    Int32Array.from(all.slice(worker * each, (worker + 1) * each).flat()),
  );
  return { count: all.length, chunks };
}

export { PIECE_FIELDS };
