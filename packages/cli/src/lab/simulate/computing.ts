/** How long nodes take to compute their shards. */
import type { ShardRange } from '@lockstep/core/run';
import { findThreadCosts, type ModelCosts } from './costs.js';

export interface ComputingCase {
  readonly ranges: readonly ShardRange[];
  /** Of each node. */
  readonly threads: number;
  /** Cores that all nodes share, when they are processes of one machine. */
  readonly sharedCores?: number | undefined;
}

/** [node] seconds until its shards are computed; 0: it has none. */
export function timeComputing(model: ModelCosts, { ranges, threads, sharedCores }: ComputingCase): number[] {
  const { contributeBase, contributeShard } = findThreadCosts(model, threads);
  const slowdown = sharedCores === undefined ? 1 : findSlowdown(model, threads, ranges.length * threads, sharedCores);
  const alone = ranges.map(({ begin, end }) =>
    end > begin ? slowdown * (contributeBase + contributeShard * Math.ceil((end - begin) / threads)) : 0,
  );
  return sharedCores === undefined ? alone : shareCores(alone, threads, sharedCores);
}

/** Threads of one machine share its memory. */
function findSlowdown(model: ModelCosts, threads: number, busy: number, cores: number): number {
  const all = findThreadCosts(model, Math.min(busy, cores));
  return Math.max(1, all.contributeShard / findThreadCosts(model, threads).contributeShard);
}

/** All begin at once, and those that are not done yet get the same share of the cores. */
function shareCores(alone: readonly number[], threads: number, cores: number): number[] {
  const times = alone.map(() => 0);
  const rising = [...alone.keys()].sort((a, b) => (alone[a] as number) - (alone[b] as number));
  let time = 0;
  let done = 0;
  for (const [finished, node] of rising.entries()) {
    const crowd = ((rising.length - finished) * threads) / cores;
    time += ((alone[node] as number) - done) * Math.max(1, crowd);
    done = alone[node] as number;
    times[node] = time;
  }
  return times;
}
