/** What is read from logits on the JavaScript side: targets, losses, predictions. */

/** [sample][class]: what the loss wants of each class, with smoothed labels as torch.nn.CrossEntropyLoss has them. */
export function writeTargets(labels: Uint8Array, classes: number, smoothing: number): Float32Array {
  const targets = new Float32Array(labels.length * classes).fill(smoothing / classes);
  labels.forEach((label, i) => {
    targets[i * classes + label] = 1 - smoothing + smoothing / classes;
  });
  return targets;
}

/** Cross-entropy summed over the samples, and how many predictions are right. Logits are [sample][class]. */
export function measureLogits(
  logits: Float32Array,
  labels: Uint8Array,
  classes: number,
): { readonly lossSum: number; readonly correct: number } {
  let lossSum = 0;
  let correct = 0;
  labels.forEach((label, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const { predicted, sum } = measureRow(row);
    lossSum += Math.log(sum) - ((row[label] as number) - (row[predicted] as number));
    if (predicted === label) correct++;
  });
  return { lossSum, correct };
}

/** @param out [sample][predicted class, its probability] */
export function readPredictions(logits: Float32Array, classes: number, out: Float32Array): void {
  for (let i = 0; i < logits.length / classes; i++) {
    const { predicted, sum } = measureRow(logits.subarray(i * classes, (i + 1) * classes));
    out[2 * i] = predicted;
    out[2 * i + 1] = 1 / sum;
  }
}

/** The first of the largest, and the sum of e^(logit - largest). */
function measureRow(row: Float32Array): { readonly predicted: number; readonly sum: number } {
  let predicted = 0;
  for (let c = 1; c < row.length; c++) if ((row[c] as number) > (row[predicted] as number)) predicted = c;
  const largest = row[predicted] as number;
  let sum = 0;
  for (const logit of row) sum += Math.exp(logit - largest);
  return { predicted, sum };
}
