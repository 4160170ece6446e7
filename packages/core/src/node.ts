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
  evaluate(split: SplitName): Promise<EvaluatedSplit>;
  /** A copy of the committed state. */
  readState(): ModelState;
  /** Ends the workers. */
  close(): Promise<void>;
}

/** Where a node reports what a person should know. */
export type OnWarning = (warning: Omit<WarningEvent, 'event'>) => void;
