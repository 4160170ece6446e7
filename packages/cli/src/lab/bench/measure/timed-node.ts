/** A node by itself that takes shared steps against a clock: computes shards, folds their sums, updates. */
import type { Assignment } from '@lockstep/core/wire';
import { LocalNode } from '@lockstep/worker/node';
import { median } from './statistics.js';
import { BENCH_SEED, type Workload } from './workload.js';

/** Seconds. */
export interface StepTiming {
  readonly compute: number;
  /** Of that until the tail was final; 0: there is none. */
  readonly tail: number;
  /** Folding and updating, beside computing too. */
  readonly rest: number;
}

/** Each part's median. */
export function summarizeTimings(timings: readonly StepTiming[]): StepTiming {
  const middle = (part: keyof StepTiming): number => median(timings.map((timing) => timing[part]));
  return { compute: middle('compute'), tail: middle('tail'), rest: middle('rest') };
}

/** Of a thread in a step. */
export const MOST_SHARDS = 8;
const WARM_STEPS = 2;
const LEAST_STEPS = 3;

export class TimedNode {
  readonly #node: LocalNode;
  readonly #participant: ReturnType<LocalNode['share']>;
  #generation = 0;

  constructor(
    { model, recipe, dataset }: Workload,
    readonly threads: number,
  ) {
    const batchSize = MOST_SHARDS * threads * recipe.shardSize;
    const parts = { model, recipe: { ...recipe, batchSize }, dataset, seed: BENCH_SEED, engine: 'native' } as const;
    this.#node = new LocalNode({ ...parts, workers: threads, isSharing: true });
    this.#participant = this.#node.share(0, () => undefined, { onContributed: () => {}, onFault: () => {} });
    this.#node.beginShared({ epoch: 0, firstStep: 0, endStep: 1 });
  }

  /** Steps of so many shards for each thread, for so many seconds: each part's median. */
  async timeStep(shards: number, seconds: number, owners = 1): Promise<StepTiming> {
    return summarizeTimings(await this.timeSteps(shards, seconds, owners));
  }

  /** Seconds of computing in the mean, since a run's slice has every slow moment in it. */
  async timeMeanCompute(shards: number, seconds: number): Promise<number> {
    const timings = await this.timeSteps(shards, seconds);
    return timings.reduce((sum, { compute }) => sum + compute, 0) / timings.length;
  }

  async timeSteps(shards: number, seconds: number, owners = 1): Promise<StepTiming[]> {
    for (let i = 0; i < WARM_STEPS; i++) await this.#runStep(shards, owners);
    const timings: StepTiming[] = [];
    for (
      const endMs = performance.now() + 1000 * seconds;
      performance.now() < endMs || timings.length < LEAST_STEPS;
    ) {
      timings.push(await this.#runStep(shards, owners));
    }
    return timings;
  }

  async #runStep(shards: number, owners: number): Promise<StepTiming> {
    const range = { begin: 0, end: shards * this.threads };
    const assignment = assignAlone(range, owners, this.#generation++);
    const { computeMs, tailMs, besideMs, stepMs } = await this.#participant.run(assignment);
    return { compute: computeMs / 1000, tail: tailMs / 1000, rest: (stepMs - computeMs + besideMs) / 1000 };
  }

  async close(): Promise<void> {
    await this.#participant.close();
    await this.#node.close();
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
