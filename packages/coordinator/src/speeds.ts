/** Speeds of nodes by which shards are dealt: measured, and held until they have changed enough. */
import type { Pace } from './pace.js';

/** Steps between two tries of a node that was too slow for any shard. */
const PROBE_EVERY = 64;
/** LOCKSTEP_EVEN=1, for tests: deal shards by threads, not by measured speed. */
const IS_EVEN = process.env['LOCKSTEP_EVEN'] === '1';
/** A speed must change by this much for shards to be dealt anew. */
const REBALANCE = 1.15;

/** A node to be dealt shards. */
export interface Runner {
  readonly id: number;
  readonly workers: number;
  readonly pace: Pace;
  /** Whether it had shards of the last full step. */
  readonly hasShards: boolean;
}

export class Speeds {
  readonly #held = new Map<number, number>();

  /** In any one unit: shards per millisecond once all are measured, workers before. */
  of(runners: readonly Runner[], step: number): number[] {
    const isMeasured = !IS_EVEN && runners.every(({ pace }) => pace.shardMs !== undefined);
    for (const { id, workers, pace, hasShards } of runners) {
      // who has no shards is not measured any more, so it gets another chance from time to time
      if (step % PROBE_EVERY === 0 && !hasShards) this.#held.delete(id);
      const held = this.#held.get(id);
      if (held !== undefined && !hasShards) continue;
      const speed = isMeasured ? 1 / (pace.shardMs as number) : workers;
      const ratio = held === undefined ? Number.POSITIVE_INFINITY : Math.max(speed / held, held / speed);
      if (ratio > REBALANCE) this.#held.set(id, speed);
    }
    return runners.map(({ id }) => this.#held.get(id) as number);
  }
}
