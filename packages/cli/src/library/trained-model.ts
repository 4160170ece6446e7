/** A model with its weights: to predict, to evaluate, to save. */
import { availableParallelism } from 'node:os';
import {
  assumeData,
  type DataNotes,
  type Dataset,
  hashParameters,
  inferLayers,
  LockstepError,
  type ModelSpec,
  type ModelState,
  parameterCount,
  type SplitName,
} from '@lockstep/core';
import { type ImagePrediction, predict } from '../prediction.js';
import { type EvaluateResult, evaluate } from '../session.js';
import { loadModelState, readDataNotes, readModelOfWeights, saveModelState } from '../weights-file.js';
import { type ModelSource, readModelSource } from './model-source.js';

export interface ComputeOptions {
  /** Threads; any number gives the same result. Default: this machine's cores. */
  readonly workers?: number | undefined;
}

export class TrainedModel {
  constructor(
    /** Layers and shapes. */
    readonly spec: ModelSpec,
    /** Parameters and batch-norm statistics, in the model's order, each a Float32Array in PyTorch's layout. */
    readonly state: ModelState,
    /** Normalization and class names of the data that it was trained on. */
    readonly notes: DataNotes,
    /** Steps that it was trained for. */
    readonly steps: number,
  ) {}

  /** Number of learned values. */
  get parameterCount(): number {
    return parameterCount(inferLayers(this.spec));
  }

  /** SHA-256, hex, over the float32 parameters and batch-norm statistics, little-endian, in the model's order. */
  get sha256(): string {
    return hashParameters(inferLayers(this.spec), this.state);
  }

  /**
   * Predicts the class of images.
   *
   * @param images [count][channels][height][width] of the model's input, row-major, one byte a value from 0 to 255
   * @throws LockstepError LOCKSTEP_PREDICT_IMAGES when the bytes are not a whole number of images
   */
  async predict(
    images: Uint8Array,
    { workers = availableParallelism() }: ComputeOptions = {},
  ): Promise<ImagePrediction[]> {
    const { channels, height, width } = this.spec.input;
    const bytes = channels * height * width;
    if (images.length === 0 || images.length % bytes !== 0) {
      throw new LockstepError(
        'LOCKSTEP_PREDICT_IMAGES',
        `${images.length} bytes are not a whole number of images: ${this.spec.name} reads ${channels}x${height}x${width}, ${bytes} bytes each.`,
      );
    }
    const list = Array.from({ length: images.length / bytes }, (_, index) => ({
      ...this.spec.input,
      pixels: images.subarray(index * bytes, (index + 1) * bytes),
    }));
    return predict({ model: this.spec, state: this.state, notes: this.notes, images: list, workers });
  }

  /** Evaluates a split of a dataset (default: `test`): mean cross-entropy, correct count, and each sample's prediction. */
  async evaluate(
    dataset: Dataset,
    { split = 'test', workers = availableParallelism() }: ComputeOptions & { readonly split?: SplitName } = {},
  ): Promise<EvaluateResult> {
    return evaluate({ model: this.spec, state: this.state, dataset, split, workers });
  }

  /**
   * Writes the weights as a safetensors file under PyTorch's names, with the model; `loadModel` reads it.
   *
   * @throws LockstepError LOCKSTEP_WEIGHTS_WRITE
   */
  save(path: string): void {
    saveModelState(path, this.spec, this.state, this.steps, this.notes);
  }
}

/**
 * Loads a model from a weights file that `lockstep train` or `save` wrote; or one of PyTorch's, if the model is named.
 *
 * @throws LockstepError LOCKSTEP_WEIGHTS_READ, _FORMAT, _MISMATCH; LOCKSTEP_WEIGHTS_MODEL when the file does not carry its
 *   model and none is named; what `ModelSource` may throw
 */
export async function loadModel(path: string, { model }: { readonly model?: ModelSource } = {}): Promise<TrainedModel> {
  const spec = model === undefined ? readModelOfWeights(path) : readModelSource(model).model;
  return new TrainedModel(spec, loadModelState(path, spec), readDataNotes(path, spec) ?? assumeData(spec), 0);
}
