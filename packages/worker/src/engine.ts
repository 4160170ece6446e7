/**
 * The seam between a node and what computes: an engine turns ranges of shards into partials of the reduction.
 * It works on the node's arena, where float offsets are counted in units of 16.
 */

import type { Dataset } from '@lockstep/core/data';
import type { Layer } from '@lockstep/core/model';
import type { ContributionLayout } from '@lockstep/core/run';
import type { Recipe } from '@lockstep/core/spec';
import type { KernelMemory } from '@lockstep/kernels';

/** What an engine computes: the run's model, recipe, seed and data. */
export interface EngineTask {
  readonly layers: readonly Layer[];
  readonly layout: ContributionLayout;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly normalization: Pick<Dataset, 'mean' | 'std'>;
}

/** Memory shared by a node's workers. */
export interface EngineMemory {
  /** State versions, optimizer slots and partials. */
  readonly arena: Float32Array;
  /** Images of the epoch's order: the image that stands at each position. */
  readonly order: Int32Array;
  /** Where both lie. */
  readonly kernels: KernelMemory;
}

/** Images and labels of one split. */
export interface EngineData {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/** Shards of a step to compute. Reused from step to step: nothing is allocated for one. */
export interface StepCall {
  /** Arena offset / 16 of the state of version t. */
  state: number;
  /** Arena offset / 16 of the worker's partials. */
  partials: number;
  /** Shards [firstShard, endShard). */
  firstShard: number;
  endShard: number;
  /** Samples in the whole step. */
  samples: number;
  /** Position in the epoch's order of the step's first sample. */
  orderStart: number;
  /** Global step, from 0. */
  step: number;
  /** From 0. */
  epoch: number;
  /** Arena offset / 16 of a uint32 that grows with what is done, for who watches the thread; 0: nobody does. */
  progress: number;
}

/** Of a worker's own places in the arena; which shards, of which step, stands in it from step to step. */
export const openStepCall = (
  { partialsAt, progressAt }: Record<'partialsAt' | 'progressAt', (worker: number) => number>,
  worker: number,
): StepCall => ({
  state: 0,
  partials: partialsAt(worker),
  firstShard: 0,
  endShard: 0,
  samples: 0,
  orderStart: 0,
  step: 0,
  epoch: 0,
  progress: progressAt(worker),
});

/** Images [first, first + count) of a split to evaluate, shards [firstShard, endShard) of them. */
export interface EvaluateCall {
  readonly state: number;
  readonly first: number;
  readonly count: number;
  readonly firstShard: number;
  readonly endShard: number;
  /** As in a step's call. */
  readonly progress: number;
}

export interface Engine {
  /** For people: `native (avx512)`. */
  readonly name: string;
  /**
   * Adds up the call's shards into the partials of their range, which it leaves at `partials` in order.
   *
   * @param onTail called on the way, if the engine has a tail: their floats from there on are final
   */
  contribute(call: StepCall, onTail?: () => void): void;
  /**
   * Evaluates with running statistics and without dropout.
   *
   * @param results [count][predicted class, its probability], then [shards][loss sum, correct count]
   * @param logits takes [count][classes], if given: what the last layer gives, before any softmax
   */
  evaluate(call: EvaluateCall, data: EngineData, results: Float32Array, logits?: Float32Array): void;
}
