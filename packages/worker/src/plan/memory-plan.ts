/**
 * Where everything stands in a node's arena, in units of 16 floats:
 *
 *   state 0 | state 1 | slot1 0 | slot1 1 | slot2 0 | slot2 1 | average 0 | average 1 | worker 0: partials | worker 1: partials | ...
 *
 * State, optimizer slots and the moving average (if the recipe has them) are kept twice: a step reads version t % 2 and writes version (t + 1) % 2, so a crash in the
 * middle of a step loses nothing.
 *
 * A node that shares its steps with others has a few vectors more: the finished reduction, and partial sums. Last, in a
 * unit for each worker, stands how much it has done.
 */
import {
  ALIGNMENT,
  type ContributionLayout,
  maxCanonicalPartials,
  optimizerSlots,
  shardCount,
} from '@lockstep/core/run';
import type { Recipe } from '@lockstep/core/spec';

export interface MemoryPlan {
  /** Units of one vector in the contribution's layout. */
  readonly vector: number;
  /** Optimizer slots: 0, 1 or 2. */
  readonly slotCount: 0 | 1 | 2;
  /** Whether the recipe keeps a moving average of the state. */
  readonly hasAverage: boolean;
  /** For how many partials each worker has room. */
  readonly partialsPerWorker: number;
  /** Floats of the whole arena. */
  readonly floats: number;
  /** Units at which version 0 or 1 of the state starts. */
  stateAt(version: number): number;
  /** Units at which version 0 or 1 of optimizer slot 1 or 2 starts; the state's own where there is no such slot. */
  slotAt(slot: 1 | 2, version: number): number;
  /** Units at which version 0 or 1 of the moving average starts; the state's own where there is none. */
  averageAt(version: number): number;
  /** Units at which a worker's partials start. */
  partialsAt(worker: number): number;
  /** Units of the finished reduction, when there are partial sums. */
  readonly reductionAt: number;
  /** Units of a partial sum. */
  partialAt(index: number): number;
  /** How many partial sums there is room for. */
  readonly partials: number;
  /** Units at which a worker's count of what it has done stands, a uint32. */
  progressAt(worker: number): number;
}

/** What stands at `unit` of an arena: floats [offset, offset + length) from there on, as a view. */
export function viewFloats(arena: Float32Array, unit: number, length: number, offset = 0): Float32Array {
  const begin = unit * ALIGNMENT + offset;
  return arena.subarray(begin, begin + length);
}

/** How much each worker has done, as it grows: [worker] every `ALIGNMENT` words. */
export const viewProgress = (arena: Float32Array, { progressAt }: MemoryPlan, workers: number): Uint32Array =>
  new Uint32Array(arena.buffer, arena.byteOffset + 4 * ALIGNMENT * progressAt(0), ALIGNMENT * workers);

/** However many nodes share a step, a node holds no more partial sums of others than this. */
const MAX_PARTIALS = 192;

/** Plans the arena of a node. */
export function planMemory(layout: ContributionLayout, recipe: Recipe, workers: number, partials = 0): MemoryPlan {
  const vector = layout.length / ALIGNMENT;
  const slotCount = optimizerSlots(recipe.optimizer);
  const shards = shardCount(recipe.batchSize, recipe.shardSize);
  // one more than a range can end with: the one that is about to be merged
  const partialsPerWorker = maxCanonicalPartials(Math.ceil(shards / workers)) + 1;
  const hasAverage = recipe.ema !== undefined;
  const versions = 2 * (1 + slotCount + (hasAverage ? 1 : 0));
  const stateAt = (version: number): number => version * vector;
  const partialsAt = (worker: number): number => (versions + worker * partialsPerWorker) * vector;
  const progressAt = (worker: number): number =>
    partialsAt(workers) + (partials > 0 ? partials + 1 : 0) * vector + worker;
  return {
    vector,
    slotCount,
    hasAverage,
    partialsPerWorker,
    floats: progressAt(workers) * ALIGNMENT,
    stateAt,
    slotAt: (slot, version) => (slot <= slotCount ? (2 * slot + version) * vector : stateAt(version)),
    averageAt: (version) => (hasAverage ? (2 * (1 + slotCount) + version) * vector : stateAt(version)),
    partialsAt,
    reductionAt: partialsAt(workers),
    partialAt: (index) => partialsAt(workers) + (index + 1) * vector,
    partials,
    progressAt,
  };
}

/** Room for partials of others, for those of the range that a leader's group has together, and one to compare. */
export function maxPartials({ batchSize, shardSize }: Recipe): number {
  const shards = shardCount(batchSize, shardSize);
  return Math.min(shards, MAX_PARTIALS) + maxCanonicalPartials(shards) + 1;
}
