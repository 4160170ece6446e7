/** How fast this machine is now, against what it was when it was calibrated. */
import { type Costs, findModelCosts, findThreadCosts } from '../simulate/costs.js';
import type { MeasuredRun } from './measured-run.js';
import { MOST_SHARDS, TimedNode } from './timed-node.js';
import type { Workload } from './workload.js';

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
    const timings = await node.timeSteps(MOST_SHARDS, this.seconds);
    // the mean: a run's slice has every slow moment in it
    const compute = timings.reduce((sum, timing) => sum + timing.compute, 0) / timings.length;
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

export interface SliceAtSpeed {
  readonly stepMs: number;
  /** What the speedometer read before and after it, in the middle. */
  readonly factor: number;
}

/** Measures a run of so many nodes with one thread each slice by slice, and ends it. */
export async function measureAtSpeed(
  run: Pick<MeasuredRun, 'measure' | 'end'>,
  speedometer: Speedometer,
  { nodes, seconds, repetitions }: { readonly nodes: number; readonly seconds: number; readonly repetitions: number },
): Promise<SliceAtSpeed[]> {
  const slices: SliceAtSpeed[] = [];
  try {
    let before = await speedometer.read(nodes);
    for (let turn = 0; turn < repetitions; turn++) {
      const { stepMs } = await run.measure(seconds);
      const after = await speedometer.read(nodes);
      slices.push({ stepMs, factor: (before + after) / 2 });
      before = after;
    }
  } finally {
    run.end();
  }
  return slices;
}
