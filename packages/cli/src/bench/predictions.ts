/** `lockstep bench predictions`: what `lockstep simulate` says of one to four nodes here, against what they do. */
import { groupSizeOf, type Topology } from '@lockstep/coordinator/cluster';
import { topologyNames } from '../cluster-fields.js';
import type { Costs } from '../simulate/costs.js';
import { findModelCosts } from '../simulate/costs.js';
import { predictStep, type StepCase } from '../simulate/predict.js';
import { formatLink } from '../simulate/simulate.js';
import { formatTable } from '../text-table.js';
import { WARM_SLICES } from './cluster.js';
import { MeasuredRun, measureMedian, type Slice } from './measured-run.js';
import { SharedRun } from './shared-run.js';
import { BENCH_BATCH, type Workload } from './workload.js';

export interface PredictionFigures {
  readonly model: string;
  /** Between nodes. */
  readonly link: 'none' | 'namespace' | 'loopback';
  readonly megabits: number | undefined;
  readonly topology: Topology;
  readonly nodes: number;
  readonly predictedStepMs: number;
  readonly measuredStepMs: number;
  /** Predicted over measured, less 1. */
  readonly error: number;
}

export interface PredictionPlan {
  /** Processes, all on this machine and with one thread each. */
  readonly nodes: readonly number[];
  readonly data: string | undefined;
  readonly seconds: number;
  readonly repetitions: number;
}

/** What the network is to be for a model: as it is, and so slow that it sets the pace. */
const LARGE_PARAMETERS = 1_000_000;
const linksOf = ({ parameters }: Workload): (number | undefined)[] =>
  parameters > LARGE_PARAMETERS ? [1000] : [undefined, 100];

export async function checkPredictions(
  workload: Workload,
  costs: Costs,
  { nodes: counts, data, seconds, repetitions }: PredictionPlan,
): Promise<PredictionFigures[]> {
  const { model, recipe } = workload;
  const task = { model, recipe, data };
  const measure = (run: Pick<MeasuredRun, 'measure' | 'end'>): Promise<Slice> =>
    measureMedian(run, seconds, repetitions);
  const rows: PredictionFigures[] = [];
  if (counts.includes(1)) {
    const alone = new MeasuredRun({ ...task, workers: 1 });
    await alone.start(seconds);
    const one = { nodes: 1, topology: 'star', megabits: undefined, link: 'none' } as const;
    rows.push(compare(workload, costs, one, await measure(alone)));
  }
  for (const megabits of linksOf(workload)) {
    for (const nodes of counts.filter((count) => count > 1)) {
      for (const topology of topologyNames.filter((name) => isDistinct(name, nodes))) {
        const plan = { nodes, threads: 1, topology, megabits, ownCores: true };
        const shared = await SharedRun.start(task, plan, WARM_SLICES * seconds);
        if (!shared) continue;
        rows.push(compare(workload, costs, { ...plan, link: shared.link }, await measure(shared)));
      }
    }
  }
  return rows;
}

/** Whether no other topology does the same: auto is a star but for two nodes, and groups of one are a mesh. */
const isDistinct = (topology: Topology, nodes: number): boolean =>
  (topology !== 'auto' || nodes === 2) && (topology !== 'hierarchical' || nodes > 3);

type CheckedCase = Pick<PredictionFigures, 'nodes' | 'topology' | 'megabits' | 'link'>;

function compare({ model }: Workload, costs: Costs, one: CheckedCase, { stepMs }: Slice): PredictionFigures {
  const { nodes, topology, megabits, link } = one;
  const stepCase: StepCase = {
    nodes,
    threads: 1,
    topology,
    groupSize: groupSizeOf(nodes),
    batchSize: BENCH_BATCH,
    bitsPerSecond: megabits === undefined ? Number.POSITIVE_INFINITY : 1e6 * megabits,
    latency: 0,
    sharedCores: costs.cores,
  };
  const predictedStepMs = 1000 * predictStep(costs, findModelCosts(costs, model.name), stepCase).step;
  return {
    model: model.name,
    link,
    megabits,
    topology,
    nodes,
    predictedStepMs,
    measuredStepMs: stepMs,
    error: predictedStepMs / stepMs - 1,
  };
}

export function formatPredictions(rows: readonly PredictionFigures[]): string[] {
  const head = ['Model', 'Nodes', 'Topology', 'Link', 'Predicted', 'Measured', 'Error'];
  const lines = rows.map((row) => [
    row.model,
    String(row.nodes),
    row.nodes === 1 ? '' : row.topology,
    row.nodes === 1
      ? ''
      : `${row.link}, ${formatLink(row.megabits === undefined ? Number.POSITIVE_INFINITY : 1e6 * row.megabits)}`,
    `${row.predictedStepMs.toFixed(2)} ms`,
    `${row.measuredStepMs.toFixed(2)} ms`,
    `${row.error < 0 ? '' : '+'}${(100 * row.error).toFixed(0)}%`,
  ]);
  const within = rows.filter(({ error }) => Math.abs(error) <= 0.15).length;
  return [...formatTable([head, ...lines], 'lrllrrr'), '', `${within} of ${rows.length} within 15%.`];
}
