/** What the node's main thread tells its workers: once at the start, and once per segment or evaluation. */
import type { Dataset, Split } from '@lockstep/core/data';
import type { EngineName, SplitName } from '@lockstep/core/seams';
import type { ModelSpec, Recipe } from '@lockstep/core/spec';
import type { KernelMemory } from '@lockstep/kernels';
import type { StepClockMemory } from './step-clock.js';

/** Everything is shared memory or small and constant. */
export interface NodeWorkerData {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly workers: number;
  readonly engine: EngineName;
  /** Whether every worker has a core of its own, so that a waiting one may spin for a moment. */
  readonly spins: boolean;
  readonly normalization: Pick<Dataset, 'mean' | 'std'>;
  readonly splits: Readonly<Record<SplitName, Split>>;
  readonly arena: Float32Array;
  /** How much of its work each worker has done: `viewProgress` of the arena. */
  readonly progress: Uint32Array;
  /** Where arena, order and splits lie, and what computes on them. */
  readonly kernels: KernelMemory;
  readonly control: Int32Array<SharedArrayBuffer>;
  /** The epoch's order. */
  readonly order: Int32Array;
  /** [step of the epoch][loss sum, correct count]. */
  readonly results: Float32Array;
  /** Sums of squares of the gradient's chunks; empty unless the recipe clips its norm. */
  readonly squareSums: Float64Array;
  /** [0]: the step count at which all workers leave the segment, set by worker 0. */
  readonly stopAt: Int32Array;
  /** Partial sums that the arena has room for; 0 for a node that computes alone. */
  readonly partials: number;
  /** See commands.ts. */
  readonly commands: Int32Array<SharedArrayBuffer>;
  /** Where the time of steps is noted, if somebody wants to know. */
  readonly clock?: StepClockMemory | undefined;
}

export interface TrainTask {
  readonly kind: 'train';
  readonly worker: number;
  readonly firstStep: number;
  readonly endStep: number;
}

export interface EvaluateTask {
  readonly kind: 'evaluate';
  readonly worker: number;
  readonly split: SplitName;
  /** Whether the moving average is evaluated, not the state. */
  readonly ofAverage: boolean;
  /** Steps that are committed: the state's version. */
  readonly step: number;
  readonly shards: number;
  readonly chunkShards: number;
  /** [sample][predicted, probability], then [shard][loss sum, correct count]. */
  readonly results: Float32Array;
  /** [sample][classes], if asked for. */
  readonly logits?: Float32Array | undefined;
}

/** Carry out commands, until one says to leave. */
export interface ServeTask {
  readonly kind: 'serve';
  readonly worker: number;
  /** Commands that are done. */
  readonly seen: number;
}

export type NodeTask = TrainTask | EvaluateTask | ServeTask;
