/** Cross-entropy from logits as torch.nn.functional.cross_entropy with reduction='sum'. */
import { assert } from '@lockstep/core';
import { at } from './tensor.js';

export interface Loss {
  /** Sum over the samples of -log softmax(logits)[label]. */
  readonly lossSum: number;
  /** Samples whose first largest logit is the label's. */
  readonly correct: number;
  /** softmax - onehot: the gradient of the sum, so not divided by the number of samples. */
  readonly dLogits: Float64Array;
}

/** logits [sample][class], one label per sample. */
export function crossEntropy(logits: Float64Array, labels: Uint8Array, classCount: number): Loss {
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
    lossSum += logSum - (at(row, label) - largest);
    if (row.indexOf(largest) === label) correct++;
    dLogits.set(
      row.map((logit, c) => Math.exp(logit - largest - logSum) - (c === label ? 1 : 0)),
      sample * classCount,
    );
  });
  return { lossSum, correct, dLogits };
}
