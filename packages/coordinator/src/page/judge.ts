/** What an evaluation shows beyond its counts: the confusion matrix and the images that the network is wrong about. */
import { countConfusion, type EvaluationRecord, listPredictions, pickMistakes, type RunView } from '@lockstep/core';
import type { Judgement } from './chronicle.js';
import { toDataUri } from './image-uri.js';

const MISTAKES = 24;

export function judge({ dataset, model }: RunView, { epoch, split, evaluated }: EvaluationRecord): Judgement {
  const { labels, images } = dataset[split];
  const predictions = listPredictions(labels, evaluated.predictions);
  const { channels, height, width } = dataset;
  const size = channels * height * width;
  return {
    epoch,
    split,
    correct: evaluated.correct,
    total: evaluated.total,
    confusion: countConfusion(predictions, model.classes),
    mistakes: pickMistakes(predictions, MISTAKES).map((mistake) => ({
      ...mistake,
      image: toDataUri({ channels, height, width }, images.subarray(mistake.index * size, (mistake.index + 1) * size)),
    })),
  };
}
