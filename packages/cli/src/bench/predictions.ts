/** `lockstep bench predictions`: what `lockstep simulate` says of one to four nodes here, against what they do. */
import { groupSizeOf, type Topology } from '@lockstep/coordinator/cluster';
import { topologyNames } from '../cluster-fields.js';
import type { Costs } from '../simulate/costs.js';
import { findModelCosts } from '../simulate/costs.js';
import { predictStep, type StepCase } from '../simulate/predict.js';
import { formatLink } from '../simulate/simulate.js';
import { formatTable } from '../text-table.js';
import { Lan } from './lan.js';
import { measureAlone, measureShared, medianPace, type Pace } from './shared-run.js';
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
  { nodes: counts, seconds, repetitions }: PredictionPlan,
): Promise<PredictionFigures[]> {
  const repeat = async (run: () => Promise<Pace>): Promise<Pace> => {
    const paces: Pace[] = [];
    for (let turn = 0; turn < repetitions; turn++) paces.push(await run());
    return medianPace(paces);
  };
  const rows: PredictionFigures[] = [];
  if (counts.includes(1)) {
    const pace = await repeat(() => measureAlone(workload, 1, seconds));
    rows.push(compare(workload, costs, { nodes: 1, topology: 'star', megabits: undefined, link: 'none' }, pace));
  }
  for (const megabits of linksOf(workload)) {
    for (const nodes of counts.filter((count) => count > 1)) {
      const lan = Lan.open(nodes - 1, megabits);
      // loopback has no cap to set
      if (!lan && megabits !== undefined) continue;
      try {
        for (const topology of topologyNames) {
          // groups of one are a mesh
          if (topology === 'hierarchical' && nodes < LEAST_GROUPED) continue;
          const run = { nodes, threads: 1, topology, lan, ownCores: true };
          const pace = await repeat(() => measureShared(workload, run, seconds));
          rows.push(compare(workload, costs, { ...run, megabits, link: lan ? 'namespace' : 'loopback' }, pace));
        }
      } finally {
        lan?.close();
      }
    }
  }
  return rows;
}

const LEAST_GROUPED = 4;

type CheckedCase = Pick<PredictionFigures, 'nodes' | 'topology' | 'megabits' | 'link'>;

function compare({ model }: Workload, costs: Costs, one: CheckedCase, { stepMs }: Pace): PredictionFigures {
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
