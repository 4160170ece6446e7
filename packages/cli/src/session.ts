/** The front door: puts a coordinator and nodes together. What the commands, and programs that embed Lockstep, call. */
import type { Dataset, ModelSpec, Recipe, RunEvent } from '@lockstep/core';

/** Learned tensors and batch-norm statistics, in the model's order (`modelParameters`, `modelBuffers`). */
export interface ModelState {
  readonly parameters: Float32Array[];
  readonly buffers: Float32Array[];
}

export interface TrainRequest {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly dataset: Dataset;
  readonly seed: number;
  readonly workers: number;
  readonly engine: 'native';
  /** Stop after this many steps, also in the middle of an epoch. */
  readonly steps?: number;
  /** Stop after the first epoch whose test accuracy reaches this fraction. */
  readonly until?: number;
  /** Start from these instead of the seed's initial weights. */
  readonly initial?: ModelState;
  /** Aborting finishes the step, evaluates, and ends the run with reason `interrupted`. */
  readonly signal?: AbortSignal;
}

export interface TrainResult {
  readonly state: ModelState;
}

/** Trains; yields what happens, returns the final state. */
export declare function train(request: TrainRequest): AsyncGenerator<RunEvent, TrainResult>;

export interface EvaluateRequest {
  readonly model: ModelSpec;
  readonly dataset: Dataset;
  readonly split: 'train' | 'validation' | 'test';
  readonly state: ModelState;
  readonly workers: number;
}

export interface Prediction {
  /** Index in the split. */
  readonly index: number;
  readonly label: number;
  readonly predicted: number;
  /** Probability given to `predicted`. */
  readonly confidence: number;
}

export interface EvaluateResult {
  readonly loss: number;
  readonly correct: number;
  readonly total: number;
  /** One per sample, in order. */
  readonly predictions: Prediction[];
}

/** Evaluates a state on a split. */
export declare function evaluate(request: EvaluateRequest): Promise<EvaluateResult>;
