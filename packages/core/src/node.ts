/**
 * What the coordinator drives: a node holds a replica of the state and computes with its own workers. There are two
 * kinds, the node in the coordinator's own process and the far end of a connection.
 */
import type { ModelState } from './contribution.js';
import type { Evaluation, WarningEvent } from './events.js';

/** Steps [firstStep, endStep) of one epoch, run without a message in between. */
export interface SegmentPlan {
  /** From 0. */
  readonly epoch: number;
  /** Global steps, from 0. */
  readonly firstStep: number;
  readonly endStep: number;
}

/** How far a running segment has come. */
export interface SegmentProgress {
  /** Steps of the run that are committed. */
  readonly committed: number;
  /** Mean training loss of the last committed step. */
  readonly stepLoss: number;
  /** Sums over the committed steps of this epoch, added in the order of steps. */
  readonly lossSum: number;
  readonly correct: number;
  readonly samples: number;
}

export type SplitName = 'train' | 'validation' | 'test';

export interface EvaluatedSplit extends Evaluation {
  /** [sample][predicted class, its probability]. */
  readonly predictions: Float32Array;
  /** [sample][classes], before any softmax; only if asked for. */
  readonly logits?: Float32Array | undefined;
}

export interface EvaluateOptions {
  /** Whether the logits of every sample are wanted. */
  readonly logits?: boolean | undefined;
  /** Evaluate the moving average of the state instead; the recipe must have `ema`. */
  readonly average?: boolean | undefined;
}

/** All that a node needs to go on after a step, in any number of workers; vectors are in the contribution's layout. */
export interface NodeSnapshot {
  /** Steps of the run that are committed. */
  readonly step: number;
  /** Parameters and running statistics. */
  readonly state: Float32Array;
  /** The optimizer's, `optimizerSlots(recipe.optimizer)` of them. */
  readonly slots: readonly Float32Array[];
  /** The moving average of the state, if the recipe has `ema`. */
  readonly average?: Float32Array | undefined;
  /** [step of the epoch][loss sum, correct count] of the committed steps of the epoch that is under way. */
  readonly results: Float32Array;
}

export interface TrainingNode {
  readonly workers: number;
  /** For people: `native (avx512)`. */
  readonly engine: string;
  /** Runs a segment; resolves when its steps are committed, or earlier after `stop`, at the end of a step. */
  train(segment: SegmentPlan): Promise<SegmentProgress>;
  /** Of the running or last segment. */
  progress(): SegmentProgress;
  /** Lets a running segment end after the step it is in. */
  stop(): void;
  /** Evaluates the committed state. */
  evaluate(split: SplitName, options?: EvaluateOptions): Promise<EvaluatedSplit>;
  /** A copy of the committed state. */
  readState(): ModelState;
  /** A copy of the committed moving average; undefined without `ema`. */
  readAverage(): ModelState | undefined;
  /** A copy of all that is committed. No segment may be running. */
  readSnapshot(): NodeSnapshot | Promise<NodeSnapshot>;
  /** Goes on from a snapshot, which may come from another node. No segment may be running. */
  restore(snapshot: NodeSnapshot): void | Promise<void>;
  /** Ends the workers. */
  close(): Promise<void>;
}

/** Where a node reports what a person should know. */
export type OnWarning = (warning: Omit<WarningEvent, 'event'>) => void;
