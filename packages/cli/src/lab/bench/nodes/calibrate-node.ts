/** What computing, folding and updating cost on a node by itself: the code of a shared step, without others. */

import { inferLayers } from '@lockstep/core/model';
import { canonicalPartials, dealShards, planBuckets, planContribution } from '@lockstep/core/run';
import type { ThreadCosts } from '../../simulate/costs.js';
import { MOST_SHARDS, type StepTiming, summarizeTimings, TimedNode } from '../measure/timed-node.js';
import type { Workload } from '../measure/workload.js';

/** Shards of each thread that are timed: dense layers read their weights once for eight. */
const SHARDS = [1, 2, 4, 7, MOST_SHARDS];
/** Owners that a vector is cut for, to see what a command costs. */
const MANY_OWNERS = 32;

/** Measurements take turns, so that a slow moment of the machine meets all of them. */
const TURNS = 4;

/** @param seconds for each of six measurements */
export async function measureThreadCosts(workload: Workload, threads: number, seconds: number): Promise<ThreadCosts> {
  const node = new TimedNode(workload, threads);
  const turns: StepTiming[][] = [];
  try {
    for (let turn = 0; turn < TURNS; turn++) {
      const timings: StepTiming[] = [];
      for (const shards of SHARDS) timings.push(await node.timeStep(shards, seconds / TURNS));
      turns.push([...timings, await node.timeStep(MOST_SHARDS, seconds / TURNS, MANY_OWNERS)]);
    }
    const middle = (measurement: number): StepTiming =>
      summarizeTimings(turns.map((timings) => timings[measurement] as StepTiming));
    const timed = SHARDS.map((shards, measurement) => ({ shards, ...middle(measurement) }));
    const cut = middle(SHARDS.length);
    const layout = planContribution(inferLayers(workload.model));
    const countBuckets = (owners: number): number => planBuckets(layout, new Array<number>(owners).fill(0)).length;
    return {
      threads,
      ...fitContribute(timed),
      afterTail: findAfterTail(cut),
      ...fitRest(timed, threads, cut, countBuckets),
    };
  } finally {
    await node.close();
  }
}

/** A line through the times, each counted by its own length. */
function fitContribute(timed: readonly { readonly shards: number; readonly compute: number }[]) {
  const weighted = timed.map(({ shards: x, compute: y }) => ({ x, y, w: 1 / y ** 2 }));
  const sum = (value: (p: { x: number; y: number; w: number }) => number): number =>
    weighted.reduce((total, point) => total + value(point), 0);
  const [w, wx, wy] = [sum((p) => p.w), sum((p) => p.w * p.x), sum((p) => p.w * p.y)];
  const [wxx, wxy] = [sum((p) => p.w * p.x * p.x), sum((p) => p.w * p.x * p.y)];
  const slope = (w * wxy - wx * wy) / (w * wxx - wx * wx);
  const base = (wy - slope * wx) / w;
  // what is below zero is noise: then the line goes through zero, or is level
  if (base < 0) return { contributeBase: 0, contributeShard: wxy / wxx };
  return slope < 0 ? { contributeBase: wy / w, contributeShard: 0 } : { contributeBase: base, contributeShard: slope };
}

const findAfterTail = ({ compute, tail }: StepTiming): number =>
  tail > 0 && compute > 0 ? Math.max(0, 1 - tail / compute) : 0;

/** The rest of a step is `buckets * order + sums * fold + update`. */
function fitRest(
  timed: readonly (StepTiming & { readonly shards: number })[],
  threads: number,
  cut: StepTiming,
  countBuckets: (owners: number) => number,
): Pick<ThreadCosts, 'order' | 'foldVector' | 'updateVector'> {
  const sumsOf = (shards: number): number =>
    dealShards(shards * threads, threads).reduce((sum, range) => sum + canonicalPartials(range).length, 0);
  const restOf = (shards: number): number => timed.find((one) => one.shards === shards)?.rest ?? 0;
  const buckets = countBuckets(1);
  const order = Math.max(0, (cut.rest - restOf(8)) / (countBuckets(MANY_OWNERS) - buckets));
  const foldVector = Math.max(0, (restOf(7) - restOf(8)) / (sumsOf(7) - sumsOf(8)));
  return { order, foldVector, updateVector: Math.max(0, restOf(8) - buckets * order - sumsOf(8) * foldVector) };
}
