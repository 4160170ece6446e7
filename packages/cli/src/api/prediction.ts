/** Predictions for images from outside, computed as an evaluation computes them. */
import {
  allocateSplit,
  createDataset,
  type DataNotes,
  normalizationFor,
  type PlanarImage,
  whiteOf,
} from '@lockstep/core/data';
import type { ModelState } from '@lockstep/core/run';
import type { ModelSpec } from '@lockstep/core/spec';
import { countOf } from '@lockstep/core/text';
import { evaluate } from './session.js';

export interface PredictRequest {
  readonly model: ModelSpec;
  readonly state: ModelState;
  readonly notes: DataNotes;
  /** Of the model's input shape. */
  readonly images: readonly PlanarImage[];
  /** The pixel value that is white in them. Default: that of the training images. */
  readonly white?: number | undefined;
  readonly workers: number;
}

export interface ImagePrediction {
  /** Class, from 0. */
  readonly predicted: number;
  readonly className: string;
  readonly probability: number;
  /** One per class; they add up to 1. */
  readonly probabilities: readonly number[];
}

/** Predicts every image's class; the class and its probability are those that an evaluation gives. */
export async function predict(request: PredictRequest): Promise<ImagePrediction[]> {
  const { model, state, notes, images, workers, white = whiteOf(notes) } = request;
  const { input, classes } = model;
  const sampleBytes = input.channels * input.height * input.width;
  const test = allocateSplit(images.length, sampleBytes);
  for (const [index, { pixels }] of images.entries()) test.images.set(pixels, index * sampleBytes);
  const { classNames } = notes;
  const dataset = createDataset({
    name: 'images',
    source: countOf(images.length, 'image'),
    ...input,
    classes,
    classNames,
    ...normalizationFor(notes, white),
    train: test,
    validation: allocateSplit(0, 0),
    test,
  });
  const { predictions, logits } = await evaluate({ model, dataset, split: 'test', state, workers, logits: true });
  return predictions.map(({ predicted, confidence }, index) => ({
    predicted,
    className: classNames[predicted] as string,
    probability: confidence,
    probabilities: softmax((logits as Float32Array).subarray(index * classes, (index + 1) * classes)),
  }));
}

function softmax(logits: Float32Array): number[] {
  const largest = Math.max(...logits);
  const exponentials = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}
