/** How a step's samples are cut into shards, and how shards are dealt out. Dealing never changes a result. */
import { assert } from '../errors/errors.js';

/** Shards [begin, end) of a step. */
export interface ShardRange {
  readonly begin: number;
  readonly end: number;
}

/** Shards in a step of `samples` samples; the last may be short. */
export const shardCount = (samples: number, shardSize: number): number => Math.ceil(samples / shardSize);

/** Steps in an epoch; the last batch may be short, no sample is left out. */
export const stepsPerEpoch = (samples: number, batchSize: number): number => Math.ceil(samples / batchSize);

/** Samples in a step of an epoch. */
export const samplesInStep = (stepOfEpoch: number, samples: number, batchSize: number): number =>
  Math.min(batchSize, samples - stepOfEpoch * batchSize);

/**
 * Deals shards to equally fast workers: neighbouring ranges of ceil(shards / workers), which is the least that the
 * busiest can have, and starts aligned to powers of two wherever that size is one. Later workers may have none.
 */
export function dealShards(shards: number, workers: number): ShardRange[] {
  assert(workers >= 1, () => `shards need a worker, got ${workers}`);
  const each = Math.ceil(shards / workers);
  return Array.from({ length: workers }, (_, worker) => ({
    begin: Math.min(shards, worker * each),
    end: Math.min(shards, (worker + 1) * each),
  }));
}
