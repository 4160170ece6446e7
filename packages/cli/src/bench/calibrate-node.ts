/** What computing, folding and updating cost on a node by itself: the code of a shared step, without others. */
import { canonicalNodes, dealShards, inferLayers, planBuckets, planContribution } from '@lockstep/core';
import type { Assignment } from '@lockstep/core/wire';
import { LocalNode } from '@lockstep/worker';
import type { ThreadCosts } from '../simulate/costs.js';
import { median } from './statistics.js';
import { BENCH_SEED, type Workload } from './workload.js';

/** Shards of each thread that are timed: dense layers read their weights once for eight. */
const SHARDS = [1, 2, 4, 7, 8];
const MOST_SHARDS = 8;
/** Owners that a vector is cut for, to see what an order costs. */
const MANY_OWNERS = 32;
const WARM_STEPS = 3;

interface Timing {
  /** Seconds. */
  readonly compute: number;
  /** Of that until the tail was final; 0: there is none. */
  readonly tail: number;
  /** Folding and updating. */
  readonly rest: number;
}

/** @param seconds for each of about seven measurements */
export async function measureThreadCosts(
  { model, recipe, dataset }: Workload,
  threads: number,
  seconds: number,
): Promise<ThreadCosts> {
  const batchSize = MOST_SHARDS * threads * recipe.shardSize;
  const parts = { model, recipe: { ...recipe, batchSize }, dataset, seed: BENCH_SEED, engine: 'native' } as const;
  const node = new LocalNode({ ...parts, workers: threads, isSharing: true });
  const participant = node.share(0, () => undefined, { onContributed: () => {}, onFault: () => {} });
  node.beginShared({ epoch: 0, firstStep: 0, endStep: 1 });
  let generation = 0;
  const runStep = async (shards: number, owners: number): Promise<Timing> => {
    const range = { begin: 0, end: shards };
    const { computeMs, tailMs, stepMs } = await participant.run(assignAlone(range, owners, generation++));
    return { compute: computeMs / 1000, tail: tailMs / 1000, rest: (stepMs - computeMs) / 1000 };
  };
  const timeStep = async (shards: number, owners = 1): Promise<Timing> => {
    for (let i = 0; i < WARM_STEPS; i++) await runStep(shards, owners);
    const timings: Timing[] = [];
    for (const endMs = performance.now() + 1000 * seconds; performance.now() < endMs || timings.length < 5; ) {
      timings.push(await runStep(shards, owners));
    }
    const middle = (part: keyof Timing): number => median(timings.map((timing) => timing[part]));
    return { compute: middle('compute'), tail: middle('tail'), rest: middle('rest') };
  };
  try {
    const timed: (Timing & { shards: number })[] = [];
    for (const shards of SHARDS) timed.push({ shards, ...(await timeStep(shards * threads)) });
    const cut = await timeStep(MOST_SHARDS * threads, MANY_OWNERS);
    const layout = planContribution(inferLayers(model));
    const countBuckets = (owners: number): number => planBuckets(layout, new Array<number>(owners).fill(0)).length;
    return {
      threads,
      ...fitContribute(timed),
      afterTail: findAfterTail(cut),
      ...fitRest(timed, threads, cut, countBuckets),
    };
  } finally {
    await participant.close();
    await node.close();
  }
}

const assignAlone = (
  range: Assignment['members'][number]['range'],
  owners: number,
  generation: number,
): Assignment => ({
  type: 'assign',
  step: 0,
  generation,
  members: [{ node: 0, range }],
  owners: new Array<number>(owners).fill(0),
  replicas: [0],
  groups: [],
  withHash: false,
});

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

const findAfterTail = ({ compute, tail }: Timing): number =>
  tail > 0 && compute > 0 ? Math.max(0, 1 - tail / compute) : 0;

/** The rest of a step is `buckets * order + sums * fold + update`. */
function fitRest(
  timed: readonly (Timing & { readonly shards: number })[],
  threads: number,
  cut: Timing,
  countBuckets: (owners: number) => number,
): Pick<ThreadCosts, 'order' | 'foldVector' | 'updateVector'> {
  const sumsOf = (shards: number): number =>
    dealShards(shards * threads, threads).reduce((sum, range) => sum + canonicalNodes(range).length, 0);
  const restOf = (shards: number): number => timed.find((one) => one.shards === shards)?.rest ?? 0;
  const buckets = countBuckets(1);
  const order = Math.max(0, (cut.rest - restOf(8)) / (countBuckets(MANY_OWNERS) - buckets));
  const foldVector = Math.max(0, (restOf(7) - restOf(8)) / (sumsOf(7) - sumsOf(8)));
  return { order, foldVector, updateVector: Math.max(0, restOf(8) - buckets * order - sumsOf(8) * foldVector) };
}
