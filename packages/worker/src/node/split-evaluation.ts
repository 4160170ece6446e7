/** The evaluation of a split by a node's workers: the memory they write into, and the sums over it. */

import { shardCount } from '@lockstep/core/run';
import type { EvaluatedSplit, SplitName } from '@lockstep/core/seams';
import type { EvaluateTask } from '../threads/thread-messages.js';

/** Shards that a worker takes at a time. */
const CHUNK_SHARDS = 16;

/** What a split is evaluated with. */
export interface EvaluationPlan {
  readonly split: SplitName;
  /** Samples of the split. */
  readonly count: number;
  readonly shardSize: number;
  readonly ofAverage: boolean;
  /** Classes of the model, if the logits are wanted. */
  readonly logitClasses: number | undefined;
}

/** A task for each worker, but for its number. */
export function planEvaluation(plan: EvaluationPlan, step: number): Omit<EvaluateTask, 'worker'> {
  const { split, count, shardSize, ofAverage, logitClasses } = plan;
  const shards = shardCount(count, shardSize);
  const allocate = (floats: number): Float32Array => new Float32Array(new SharedArrayBuffer(4 * floats));
  return {
    kind: 'evaluate',
    step,
    split,
    ofAverage,
    shards,
    chunkShards: CHUNK_SHARDS,
    results: allocate(2 * (count + shards)),
    logits: logitClasses === undefined ? undefined : allocate(count * logitClasses),
  };
}

/** Adds up what the workers wrote, in the order of shards. */
export function sumEvaluation(
  { shards, results, logits }: Omit<EvaluateTask, 'worker'>,
  count: number,
): EvaluatedSplit {
  let lossSum = 0;
  let correct = 0;
  for (let shard = 0; shard < shards; shard++) {
    lossSum += results[2 * (count + shard)] as number;
    correct += results[2 * (count + shard) + 1] as number;
  }
  const predictions = results.subarray(0, 2 * count);
  return { loss: lossSum / count, accuracy: correct / count, correct, total: count, predictions, logits };
}
