/** A model with its weights: to predict, to evaluate, to save. */

import {
  checkDataset,
  type DataNotes,
  type Dataset,
  mapClasses,
  normalizationFor,
  type PixelChoice,
  pixelChoiceSchema,
  whiteOf,
} from '@lockstep/core/data';
import { type Check, isFunction, isOneOf, isText, LockstepError } from '@lockstep/core/errors';
import { isRecord } from '@lockstep/core/files';
import { findUsableCores } from '@lockstep/core/machine';
import { inferLayers, parameterCount } from '@lockstep/core/model';
import type { ModelState } from '@lockstep/core/run';
import { type OnWarning, type SplitName, workersSchema } from '@lockstep/core/seams';
import { allowedBy, checkArgument, checkOptions, fieldsOf, type ModelSpec } from '@lockstep/core/spec';
import { hashParameters } from '@lockstep/core/state';
import { countOf } from '@lockstep/core/text';
import { findRunWeights } from '@lockstep/watch/files';
import { isWeightsPath } from '../fields/weights-path.js';
import { readModelNotes } from '../settings/model-notes.js';
import { loadModelState, readModelOfWeights, saveModelState } from '../settings/weights-file.js';
import { type ModelSource, readModelSource } from './model-source.js';
import { type ImagePrediction, predict } from './prediction.js';
import { type EvaluateResult, evaluate } from './session.js';
import { modelSource } from './train-options.js';

const computeOptions = { workers: workersSchema.optional() };
const predictSchema = fieldsOf({ ...computeOptions, white: pixelChoiceSchema.shape.white });
const evaluateSchema = fieldsOf({
  ...computeOptions,
  split: allowedBy<SplitName>(isOneOf('train', 'validation', 'test')).optional(),
});
/** Values of pixels are checked with the model that they are for. */
const pixelValue = allowedBy<never>(() => undefined).optional();
const loadSchema = fieldsOf({
  model: modelSource.optional(),
  onWarning: allowedBy<OnWarning>(isFunction).optional(),
  ...{ mean: pixelValue, std: pixelValue, ground: pixelValue, white: pixelValue },
});

const isBytes: Check = (value) => (value instanceof Uint8Array ? undefined : 'must be a Uint8Array');
const isDataset: Check = (value) => (isRecord(value) ? undefined : 'must be a dataset, see openDataset');

export interface ComputeOptions {
  /** Threads, 1 to 1024; any number gives the same result. Default: this machine's cores. */
  readonly workers?: number | undefined;
}

export class TrainedModel {
  constructor(
    /** Layers and shapes. */
    readonly spec: ModelSpec,
    /** Parameters and batch-norm statistics, in the model's order, each a Float32Array in PyTorch's layout. */
    readonly state: ModelState,
    /** How it reads pixels, and the class names: those of the data that it was trained on. */
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
   * Predicts the class of images, which are normalized as the training images were.
   *
   * @param images [count][channels][height][width] of the model's input, row-major, one byte a value from 0 to 255
   * @param options `white`: the value that is white in them, 1 to 255; default: that of the training images, `notes.white`
   * @throws LockstepError LOCKSTEP_PREDICT_IMAGES when the bytes are not a whole number of images
   */
  async predict(
    images: Uint8Array,
    options: ComputeOptions & { readonly white?: number | undefined } = {},
  ): Promise<ImagePrediction[]> {
    const { workers = findUsableCores().count, white } = checkOptions(predictSchema, options);
    checkArgument('images', images, isBytes);
    const { channels, height, width } = this.spec.input;
    const bytes = channels * height * width;
    if (images.length === 0 || images.length % bytes !== 0) {
      throw new LockstepError(
        'LOCKSTEP_PREDICT_IMAGES',
        `${countOf(images.length, 'byte')} are not a whole number of images: ${this.spec.name} reads ${channels}x${height}x${width}, ${countOf(bytes, 'byte')} each.`,
      );
    }
    const list = Array.from({ length: images.length / bytes }, (_, index) => ({
      ...this.spec.input,
      pixels: images.subarray(index * bytes, (index + 1) * bytes),
    }));
    return predict({ model: this.spec, state: this.state, notes: this.notes, images: list, white, workers });
  }

  /**
   * Evaluates a split of a dataset (default: `test`): mean cross-entropy, correct count, and each sample's prediction.
   * Pixels are normalized by the model's mean and std, as `predict` does, not by the dataset's; where the dataset says
   * its `white`, they are brought from that scale to the training images'. Where both name their classes, these are found
   * by name.
   *
   * @throws LockstepError LOCKSTEP_DATA_CLASSES when the dataset has a class that the model does not know
   */
  async evaluate(
    dataset: Dataset,
    options: ComputeOptions & { readonly split?: SplitName } = {},
  ): Promise<EvaluateResult> {
    const { split = 'test', workers = findUsableCores().count } = checkOptions(evaluateSchema, options);
    checkArgument('dataset', dataset, isDataset);
    checkDataset(dataset);
    const mapped = mapClasses(dataset, this.notes.classNames);
    const normalized = { ...mapped, ...normalizationFor(this.notes, dataset.white ?? whiteOf(this.notes)) };
    return evaluate({ model: this.spec, state: this.state, dataset: normalized, split, workers });
  }

  /**
   * Writes the weights as a safetensors file under PyTorch's names, with the model; `loadModel` reads it.
   *
   * @param path a name of another form, such as `.onnx` or `.pth`, is refused, as by `--save`
   * @throws LockstepError LOCKSTEP_OPTION for such a name; LOCKSTEP_WEIGHTS_WRITE
   */
  save(path: string): void {
    checkArgument('path', path, isWeightsPath);
    saveModelState(path, this.spec, this.state, this.steps, this.notes);
  }
}

export interface LoadOptions extends PixelChoice {
  /** For weights that do not carry their model. */
  readonly model?: ModelSource | undefined;
  /** Told what was converted, and what is assumed of weights without notes on their data. */
  readonly onWarning?: OnWarning | undefined;
}

/**
 * Loads a model from a weights file that `lockstep train` or `save` wrote; or one of PyTorch's, if the model is named.
 * The folder of a run, and `latest`, stand for the best weights in it. Weights that do not say how their images were normalized are taken for MNIST's, as far as `mean`, `std`, `ground` and
 * `white` do not say otherwise.
 *
 * @throws LockstepError LOCKSTEP_OPTION for an option that is unknown or not allowed
 * @throws LockstepError LOCKSTEP_DATA_PIXELS when these are out of range, or not one per channel
 * @throws LockstepError LOCKSTEP_WEIGHTS_READ, _FORMAT, _MISMATCH; LOCKSTEP_WEIGHTS_MODEL when the file does not carry its
 *   model and none is named; what `ModelSource` may throw
 */
export async function loadModel(weights: string, options: LoadOptions = {}): Promise<TrainedModel> {
  checkArgument('path', weights, isText);
  const path = findRunWeights(weights);
  const { model, onWarning, ...choice } = checkOptions(loadSchema, options);
  const tell = (message: string): void => onWarning?.({ code: 'LOCKSTEP_WEIGHTS_ADOPTED', message });
  const spec = model === undefined ? readModelOfWeights(path) : readModelSource(model).model;
  const state = loadModelState(path, spec, tell);
  return new TrainedModel(spec, state, readModelNotes(path, spec, choice, tell).notes, 0);
}
