/** What a network says about a split, image by image: which classes it takes for which, and where it is wrong. */

export interface Prediction {
  /** Index in the split. */
  readonly index: number;
  readonly label: number;
  readonly predicted: number;
  /** Probability given to `predicted`. */
  readonly confidence: number;
}

/**
 * One prediction per sample, in order.
 *
 * @param predictions [sample][predicted class, its probability], as an evaluation gives them
 */
export const listPredictions = (labels: Uint8Array, predictions: Float32Array): Prediction[] =>
  Array.from({ length: predictions.length / 2 }, (_, index) => ({
    index,
    label: labels[index] as number,
    predicted: predictions[2 * index] as number,
    confidence: predictions[2 * index + 1] as number,
  }));

/** [label][predicted class]: how many. */
export function countConfusion(predictions: readonly Prediction[], classes: number): number[][] {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const { label, predicted } of predictions) {
    const row = confusion[label] as number[];
    row[predicted] = (row[predicted] ?? 0) + 1;
  }
  return confusion;
}

/** The first wrong predictions, most confident first; of equals the earlier sample first. */
export const pickMistakes = (predictions: readonly Prediction[], count: number): Prediction[] =>
  predictions
    .filter(({ label, predicted }) => label !== predicted)
    .sort((a, b) => b.confidence - a.confidence || a.index - b.index)
    .slice(0, count);
