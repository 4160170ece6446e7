/** Batch norm's running statistics: the whole batch's, put together from its shards'. */
import { assert } from '@lockstep/core/errors';
import { BATCH_NORM_MOMENTUM } from '@lockstep/core/model';
import type { ChannelStatistics } from './batch-norm.js';
import { addAt, at } from './tensor.js';

export interface CountedStatistics extends ChannelStatistics {
  /** Values per channel: samples of the shard * height * width. */
  readonly count: number;
}

export interface BatchStatistics {
  readonly mean: Float64Array;
  /** Divided by the number of values less one. */
  readonly unbiasedVariance: Float64Array;
}

/**
 * Mean and unbiased variance of a batch: the variance is the mean of the shards' variances plus the variance of their
 * means, both weighted by count, times n / (n - 1). A batch of one value per channel has variance 0 (PyTorch refuses
 * it).
 */
export function combineShards(shards: readonly CountedStatistics[]): BatchStatistics {
  const count = shards.reduce((sum, shard) => sum + shard.count, 0);
  assert(shards[0] && count > 0, () => `statistics of ${shards.length} shards with ${count} values`);
  const mean = new Float64Array(shards[0].mean.length);
  const unbiasedVariance = new Float64Array(mean.length);
  for (const shard of shards) {
    shard.mean.forEach((shardMean, c) => {
      addAt(mean, c, (shard.count / count) * shardMean);
    });
  }
  for (const shard of shards) {
    const weight = shard.count / Math.max(1, count - 1);
    shard.mean.forEach((shardMean, c) => {
      addAt(unbiasedVariance, c, weight * (at(shard.variance, c) + (shardMean - at(mean, c)) ** 2));
    });
  }
  return { mean, unbiasedVariance };
}

/** running = (1 - momentum) * running + momentum * batch, momentum 0.1, for each channel. */
export const updateRunning = (running: Float64Array, batch: Float64Array): Float64Array =>
  running.map((value, c) => (1 - BATCH_NORM_MOMENTUM) * value + BATCH_NORM_MOMENTUM * at(batch, c));
