/** What an evaluation shows beyond its counts: the confusion matrix and the images that the network is wrong about. */

import type { Dataset } from '@lockstep/core/data';
import { countConfusion, listPredictions, type Prediction, pickMistakes } from '@lockstep/core/events';
import type { EvaluationRecord, RunView, SplitName } from '@lockstep/core/seams';
import type { Judgement, Mistake } from './chronicle.js';
import { toDataUri } from './image-uri.js';

const MISTAKES = 24;

export function judge({ dataset, model, stepsPerEpoch }: RunView, record: EvaluationRecord): Judgement {
  const { epoch, step, split, evaluated } = record;
  const predictions = listPredictions(dataset[split].labels, evaluated.predictions);
  return {
    epoch,
    steps: step - epoch * stepsPerEpoch,
    split,
    correct: evaluated.correct,
    total: evaluated.total,
    confusion: countConfusion(predictions, model.classes),
    mistakes: addImages(pickMistakes(predictions, MISTAKES), dataset, split),
  };
}

/** Predictions with the images that they are about. */
export function addImages(predictions: readonly Prediction[], dataset: Dataset, split: SplitName): Mistake[] {
  const { channels, height, width } = dataset;
  const size = channels * height * width;
  const { images } = dataset[split];
  return predictions.map((prediction) => {
    const pixels = images.subarray(prediction.index * size, (prediction.index + 1) * size);
    return { ...prediction, image: toDataUri({ channels, height, width }, pixels) };
  });
}
