/** How fast this machine is now, against what it was when it was calibrated. */
import { groupSizeOf } from '@lockstep/coordinator/steps';
import { type Costs, findModelCosts, findThreadCosts, scaleCosts } from '../../simulate/costs.js';
import { predictStep, type StepCase, type StepFigures } from '../../simulate/predict-step.js';
import { type Between, measureBetween } from './between.js';
import type { MeasuredRun, Slice } from './measured-run.js';
import { MOST_SHARDS, TimedNode } from './timed-node.js';
import { BENCH_BATCH, type Workload } from './workload.js';

export class Speedometer {
  /** [threads]. */
  readonly #nodes = new Map<number, TimedNode>();

  constructor(
    private readonly workload: Workload,
    private readonly costs: Costs,
    /** How long a reading takes. */
    private readonly seconds: number,
  ) {}

  /** Times as long as then, with so many threads that compute, or as many as there are cores. */
  async read(busy: number): Promise<number> {
    const threads = Math.min(busy, this.costs.cores);
    const node = this.#nodes.get(threads) ?? new TimedNode(this.workload, threads);
    this.#nodes.set(threads, node);
    const compute = await node.timeMeanCompute(MOST_SHARDS, this.seconds);
    const { contributeBase, contributeShard } = findThreadCosts(this.#modelCosts, threads);
    return compute / (contributeBase + contributeShard * MOST_SHARDS);
  }

  get #modelCosts() {
    return findModelCosts(this.costs, this.workload.model.name);
  }

  async close(): Promise<void> {
    for (const node of this.#nodes.values()) await node.close();
  }
}

/** What nodes that share this machine do, and what their links are made to be. */
export interface OneMachineCase extends Pick<StepCase, 'nodes' | 'topology'> {
  /** Undefined: as fast as it goes. */
  readonly megabits?: number | undefined;
  /** One way. */
  readonly delayMs?: number | undefined;
}

/** A step of nodes of one thread that share this machine, predicted for a time when everything takes `factor` times as long. */
export function predictOnOneMachine(
  costs: Costs,
  factor: number,
  model: string,
  { nodes, topology, megabits, delayMs = 0 }: OneMachineCase,
): StepFigures {
  const now = scaleCosts(costs, factor);
  const stepCase: StepCase = {
    nodes,
    threads: 1,
    topology,
    groupSize: groupSizeOf(nodes),
    batchSize: BENCH_BATCH,
    bitsPerSecond: megabits === undefined ? Number.POSITIVE_INFINITY : 1e6 * megabits,
    latency: delayMs / 1000,
    sharedCores: costs.cores,
  };
  return predictStep(now, findModelCosts(now, model), stepCase);
}

export interface SliceAtSpeed {
  readonly stepMs: number;
  /** What the speedometer read before and after it, in the middle. */
  readonly factor: number;
}

/** Measures a run of so many nodes with one thread each slice by slice until they are enough, and ends it. */
export async function measureAtSpeed(
  run: Pick<MeasuredRun, 'measure' | 'end'>,
  speedometer: Speedometer,
  nodes: number,
  seconds: number,
  areEnough: (slices: readonly SliceAtSpeed[]) => boolean,
): Promise<SliceAtSpeed[]> {
  try {
    const slices = await measureBetween<Slice, number>(
      (sofar) => areEnough(sofar.map(atSpeed)),
      () => run.measure(seconds),
      () => speedometer.read(nodes),
    );
    return slices.map(atSpeed);
  } finally {
    run.end();
  }
}

const atSpeed = ({ before, measured, after }: Between<Slice, number>): SliceAtSpeed => ({
  stepMs: measured.stepMs,
  factor: (before + after) / 2,
});
