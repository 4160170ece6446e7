/** What a run tells while it goes: the coordinator emits these, front ends print, plot or store them. */
import type { Recipe } from '../spec/recipe.js';
import type { DataEvent } from './data-report.js';
import type { DoubtedSteps, NodeEvent, NodeShare, StepSpan } from './node-events.js';

/** Result of an evaluation over a whole split. */
export interface Evaluation {
  /** Mean cross-entropy. */
  readonly loss: number;
  /** correct / total. */
  readonly accuracy: number;
  readonly correct: number;
  readonly total: number;
}

/** The moving average of the state, evaluated; only with `ema`. */
export interface AverageEvaluation {
  readonly testLoss: number;
  readonly testAccuracy: number;
  readonly testCorrect: number;
  readonly testTotal: number;
  readonly validation?: Evaluation;
}

export interface StartEvent {
  readonly event: 'start';
  readonly model: string;
  /** Number of learned values. */
  readonly parameters: number;
  readonly workers: number;
  /** `native (avx512)` and the like. */
  readonly engine: string;
  /** Where the data came from, for people. */
  readonly data: string;
  readonly trainSamples: number;
  readonly validationSamples: number;
  readonly testSamples: number;
  readonly seed: number;
  readonly stepsPerEpoch: number;
  /** Steps that were done before, in the run that is resumed. */
  readonly resumedStep?: number;
  readonly recipe: Recipe;
}

/** Cheap and frequent, for a progress bar; at most a few per second. Not part of `--json`. */
export interface ProgressEvent {
  readonly event: 'progress';
  /** From 1. */
  readonly epoch: number;
  /** Steps of this epoch that are committed. */
  readonly step: number;
  readonly stepsPerEpoch: number;
  readonly learningRate: number;
  /** Mean training loss of the last committed step. */
  readonly loss: number;
  /** Mean training loss over this epoch so far. */
  readonly trainLoss: number;
  /** Training accuracy of this epoch so far. */
  readonly accuracy: number;
  /** Seconds since this epoch began. */
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** Of a run with several nodes. */
  readonly nodes?: readonly NodeShare[];
}

export interface EpochEvent {
  readonly event: 'epoch';
  /** From 1. */
  readonly epoch: number;
  /** Rate of the epoch's last step. */
  readonly learningRate: number;
  /** Mean over the epoch, with dropout and augmentation on. */
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  /** Mean over its last batch; not in what was recorded by earlier versions. */
  readonly lastLoss?: number;
  readonly validation?: Evaluation;
  readonly testLoss: number;
  readonly testAccuracy: number;
  readonly testCorrect: number;
  readonly testTotal: number;
  readonly ema?: AverageEvaluation;
  /** Training seconds of the epoch, evaluation and checkpoints left out. */
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** What computed it, where that is not what the run began with: `native (wasm), then native (avx2)`. */
  readonly engine?: string;
}

/** A checkpoint is on the disk. */
export interface CheckpointEvent {
  readonly event: 'checkpoint';
  readonly path: string;
  readonly step: number;
  /** Whether it is the best so far by the run's metric. */
  readonly isBest: boolean;
}

/** Something a person should know; the run goes on. */
export interface WarningEvent {
  readonly event: 'warning';
  readonly code: `LOCKSTEP_${string}`;
  readonly message: string;
  /** The worker that was replaced, from 0; only with LOCKSTEP_WORKER_REPLACED. */
  readonly worker?: number;
}

/** The run stands still because somebody asked for it. */
export interface PausedEvent {
  readonly event: 'paused';
  /** Steps committed. */
  readonly step: number;
}

/** It goes on. */
export interface ResumedEvent {
  readonly event: 'resumed';
  readonly step: number;
}

export interface EndEvent {
  readonly event: 'end';
  /** Epochs completed. */
  readonly epochs: number;
  /** Steps committed. */
  readonly steps: number;
  readonly testLoss: number;
  readonly testAccuracy: number;
  readonly testCorrect: number;
  readonly testTotal: number;
  readonly validation?: Evaluation;
  /** SHA-256 over the float32 parameters and batch-norm statistics, little-endian, in the model's order. */
  readonly parametersSha256: string;
  readonly ema?: AverageEvaluation;
  /** The same of the moving average. */
  readonly emaSha256?: string;
  readonly seconds: number;
  /** Why the run ended: `stopped` by whoever asked for it (a page's Stop), `interrupted` from outside. */
  readonly reason: 'completed' | 'steps' | 'until' | 'patience' | 'stopped' | 'interrupted';
  /** The signal that interrupted it, such as `SIGTERM`. */
  readonly signal?: string;
  /** What of the result nobody can vouch for. */
  readonly doubted?: readonly DoubtedSteps[];
  /** With --audit, now or before a resume: steps that hold sums of other nodes which chance did not choose to be computed again. */
  readonly unaudited?: StepSpan;
}

export type RunEvent =
  | StartEvent
  | DataEvent
  | NodeEvent
  | ProgressEvent
  | PausedEvent
  | ResumedEvent
  | EpochEvent
  | CheckpointEvent
  | WarningEvent
  | EndEvent;
