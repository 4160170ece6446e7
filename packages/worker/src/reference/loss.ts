/** Cross-entropy from logits as torch.nn.functional.cross_entropy with reduction='sum'. */
import { assert } from '@lockstep/core/errors';
import { at } from './tensor.js';

export interface Loss {
  /** Sum over the samples of -log softmax(logits)[label]. */
  readonly lossSum: number;
  /** Samples whose first largest logit is the label's. */
  readonly correct: number;
  /** softmax - target: the gradient of the sum, so not divided by the number of samples. */
  readonly dLogits: Float64Array;
}

/**
 * logits [sample][class], one label per sample.
 *
 * @param smoothing torch's label_smoothing: the target is (1 - smoothing) onehot + smoothing / classes
 */
export function crossEntropy(logits: Float64Array, labels: Uint8Array, classCount: number, smoothing = 0): Loss {
  assert(
    logits.length === labels.length * classCount,
    () => `${logits.length} logits for ${labels.length} labels of ${classCount} classes`,
  );
  const dLogits = new Float64Array(logits.length);
  let lossSum = 0;
  let correct = 0;
  labels.forEach((label, sample) => {
    assert(label < classCount, () => `label ${label} of sample ${sample}, with ${classCount} classes`);
    const row = logits.subarray(sample * classCount, (sample + 1) * classCount);
    // The largest logit is taken off first, or exp overflows.
    const largest = row.reduce((a, b) => Math.max(a, b));
    const logSum = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
    const target = row.map((_, c) => (c === label ? 1 - smoothing : 0) + smoothing / classCount);
    const logProbabilities = row.map((logit) => logit - largest - logSum);
    lossSum -= target.reduce((sum, share, c) => (share === 0 ? sum : sum + share * at(logProbabilities, c)), 0);
    if (row.indexOf(largest) === label) correct++;
    dLogits.set(
      logProbabilities.map((logProbability, c) => Math.exp(logProbability) - at(target, c)),
      sample * classCount,
    );
  });
  return { lossSum, correct, dLogits };
}
