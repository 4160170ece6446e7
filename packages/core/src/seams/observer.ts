/**
 * Those who watch a run: the live page, TensorBoard files, metrics, traces. They are told what happens, off the hot path
 * (on the coordinator's main thread, at most a few times per second), and none of them can stop a run or change a bit of
 * it: one that throws is warned about once, as LOCKSTEP_OBSERVER_FAILED, and told nothing more.
 */

import type { Dataset } from '../data/dataset/dataset.js';
import type { DataReport } from '../events/data-report.js';
import type { EpochEvent, RunEvent } from '../events/events.js';
import type { StepTimes } from '../events/step-times.js';
import type { Layer } from '../model/layers.js';
import type { ContributionLayout, ModelState } from '../run/contribution.js';
import type { ModelSpec } from '../spec/model-spec.js';
import type { Recipe } from '../spec/recipe.js';
import type { Beginning } from './beginning.js';
import type { EvaluatedSplit, SplitName } from './node.js';
import type { RunEnds } from './run-schema.js';

/** A run as its observers see it. Nothing here is a copy: look, do not touch. */
export interface RunView {
  readonly model: ModelSpec;
  readonly layers: readonly Layer[];
  readonly layout: ContributionLayout;
  readonly recipe: Recipe;
  readonly dataset: Dataset;
  /** How the dataset was read. */
  readonly report: DataReport;
  readonly seed: number;
  /** Of the coordinator's own node; 0 when it only directs others. */
  readonly workers: number;
  readonly engine: string;
  readonly stepsPerEpoch: number;
  /** What was asked for to end it before its last epoch, and to judge epochs by. */
  readonly ends: RunEnds;
  readonly beginning?: Beginning | undefined;
  /** Whether the run writes checkpoints, so that one can be asked for. */
  readonly hasCheckpoints: boolean;
  /** Epochs that the resumed run had completed; empty for a new run. */
  readonly history: readonly EpochEvent[];
  /** Steps after which the run may go back, as a `went-back` event tells; ascending. */
  waysBack(): readonly number[];
  /** A copy of the committed state. Taken while a segment runs it may mix two steps; after an evaluation it never does. */
  readState(): ModelState;
  /** The same of the moving average; undefined without `ema`. */
  readAverage(): ModelState | undefined;
  /**
   * The mean gradient of the last committed step, before clipping: one vector per parameter, as `readState().parameters`;
   * zeros for what is frozen. Undefined while a segment runs, and before the first step of this process.
   */
  readGradient(): readonly Float32Array[] | undefined;
}

/** A split, or the moving average on a split, was evaluated; no segment runs. */
export interface EvaluationRecord {
  /** Epochs completed, from 0; the evaluation at the end of a run that stopped within an epoch counts it as not completed. */
  readonly epoch: number;
  /** Steps committed. */
  readonly step: number;
  readonly split: SplitName;
  /** Whether it was the moving average. */
  readonly ofAverage: boolean;
  readonly evaluated: EvaluatedSplit;
  /** On the clock of `StepTimes`. */
  readonly beganMs: number;
  readonly endedMs: number;
}

/** Who watches a run. Only what it has methods for is collected. */
export interface RunObserver {
  /** For people, in the warning when it fails. */
  readonly name: string;
  /** Before the first event. */
  begin?(view: RunView): void;
  /** Every event, progress among them, in order. */
  onEvent?(event: RunEvent): void;
  /** Before the `epoch` or `end` event that tells the result. */
  onEvaluated?(evaluation: EvaluationRecord): void;
  /** Steps that ended since the last call; when they are too many for the memory kept for them, the oldest are left out. */
  onSteps?(times: readonly StepTimes[]): void;
  /** The run ended with an error. */
  onFailed?(error: unknown): void;
  /** The last call, also after a failure of the run. What it returns is waited for, for a few seconds. */
  close?(): void | Promise<void>;
}
