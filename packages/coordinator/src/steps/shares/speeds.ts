/** Speeds of nodes by which shards are dealt: measured, and held until they have changed enough. */

import type { Pace } from '../../members/pace.js';
import { dealCounts } from './finish-times.js';

/** Steps between two tries of a node that was too slow for any shard. */
const PROBE_EVERY = 64;
/** LOCKSTEP_EVEN=1, for tests: deal shards by threads, not by measured speed. */
const IS_EVEN = process.env['LOCKSTEP_EVEN'] === '1';
/** How much longer a step must take, as shards are dealt, for them to be dealt anew: a noise in speeds moves none. */
const REBALANCE = 1.1;

/** A node to be dealt shards. */
export interface Runner {
  readonly id: number;
  readonly workers: number;
  readonly pace: Pace;
  /** Whether it had shards of the last full step. */
  readonly hasShards: boolean;
}

export class Speeds {
  #held = new Map<number, number>();
  #isMeasured = false;

  /**
   * In any one unit: shards per millisecond once all are measured, workers before.
   *
   * @param shards of a step
   */
  of(runners: readonly Runner[], step: number, shards: number): number[] {
    const isMeasured = !IS_EVEN && runners.every(({ pace }) => pace.shardMs !== undefined);
    const measured = new Map<number, number>();
    for (const { id, workers, pace, hasShards } of runners) {
      // who has no shards is not measured any more, so it gets another chance from time to time
      if (step % PROBE_EVERY === 0 && !hasShards) this.#held.delete(id);
      const held = hasShards ? undefined : this.#held.get(id);
      measured.set(id, held ?? (isMeasured ? 1 / (pace.shardMs as number) : workers));
    }
    const speeds = [...measured.values()];
    const held = runners.map(({ id }) => this.#held.get(id));
    const isKept =
      isMeasured === this.#isMeasured &&
      held.every((speed) => speed !== undefined) &&
      (areNear(held, speeds) || dealtTime(shards, held, speeds) <= REBALANCE * dealtTime(shards, speeds, speeds));
    if (isKept) return held;
    this.#isMeasured = isMeasured;
    this.#held = measured;
    return speeds;
  }
}

/** Whether no step can become shorter by as much as counts: each speed has changed by less than the root of it. */
const areNear = (held: readonly number[], speeds: readonly number[]): boolean =>
  held.every((speed, index) => {
    const ratio = speed / (speeds[index] as number);
    return ratio * ratio < REBALANCE && 1 / (ratio * ratio) < REBALANCE;
  });

/** Time of a step that is dealt by some speeds and takes others. */
const dealtTime = (shards: number, dealtBy: readonly number[], speeds: readonly number[]): number =>
  Math.max(...dealCounts(shards, dealtBy).map((count, node) => count / (speeds[node] as number)));
