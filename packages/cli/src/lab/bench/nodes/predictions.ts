/** `lockstep bench predictions`: what `lockstep simulate` says of one to four nodes here, against what they do. */

import type { Topology } from '@lockstep/coordinator/steps';
import { fixed } from '@lockstep/core/text';
import { topologyNames } from '../../../fields/cluster-fields.js';
import { formatTable } from '../../../terminal/text-table.js';
import type { Costs } from '../../simulate/costs.js';
import { formatLink } from '../../simulate/simulate.js';
import { MeasuredRun } from '../measure/measured-run.js';
import { measureAtSpeed, predictOnOneMachine, type SliceAtSpeed, Speedometer } from '../measure/speedometer.js';
import { isSettled, median, type Spread, summarizeValues } from '../measure/statistics.js';
import { LARGE_PARAMETERS, type Workload } from '../measure/workload.js';
import { WARM_SLICES } from './cluster-speed.js';
import { SharedRun } from './shared-run.js';

export interface PredictionFigures {
  readonly model: string;
  /** Between nodes. */
  readonly link: 'none' | 'namespace' | 'loopback' | 'relay';
  readonly megabits: number | undefined;
  /** Of each link, one way; undefined: none but its own. */
  readonly delayMs: number | undefined;
  readonly topology: Topology;
  readonly nodes: number;
  readonly slices: number;
  /** Medians of the slices. */
  readonly predictedStepMs: number;
  readonly measuredStepMs: number;
  /** Predicted over measured, less 1, of each slice by itself. */
  readonly error: Spread;
}

export interface PredictionPlan {
  /** Processes, all on this machine and with one thread each. */
  readonly nodes: readonly number[];
  readonly data: string | undefined;
  readonly seconds: number;
  /** Slices of each case, at least. */
  readonly repetitions: number;
  readonly onRow: (row: PredictionFigures) => void;
}

/** Slices of a case go on until its error is known to within so much. */
const KNOWN_ERROR = 0.08;

type LinkCase = Pick<PredictionFigures, 'megabits' | 'delayMs'>;
const AS_IT_IS: LinkCase = { megabits: undefined, delayMs: undefined };

/** What the network is to be for a model: as it is, and so slow, or so long, that it sets the pace. */
const linksOf = ({ parameters }: Workload): LinkCase[] =>
  parameters > LARGE_PARAMETERS
    ? [{ ...AS_IT_IS, megabits: 1000 }]
    : [AS_IT_IS, { ...AS_IT_IS, megabits: 100 }, { ...AS_IT_IS, delayMs: 20 }];

type CheckedCase = Pick<PredictionFigures, 'nodes' | 'topology' | 'megabits' | 'delayMs' | 'link'>;

/**
 * Measures each case slice by slice. This machine may be faster or slower by then than it was when it was calibrated, so
 * before and after each slice the calibration's own measure of computing is taken again, and the costs follow it.
 */
export async function checkPredictions(
  workload: Workload,
  costs: Costs,
  { nodes: counts, data, seconds, repetitions, onRow }: PredictionPlan,
): Promise<PredictionFigures[]> {
  const { model, recipe } = workload;
  const task = { model, recipe, data };
  const speedometer = new Speedometer(workload, costs, seconds / 2);
  const rows: PredictionFigures[] = [];
  const checkCase = async (one: CheckedCase, run: Pick<MeasuredRun, 'measure' | 'end'>): Promise<void> => {
    const check = ({ stepMs, factor }: SliceAtSpeed): CheckedSlice => ({
      predictedMs: 1000 * predictOnOneMachine(costs, factor, model.name, one).step,
      measuredMs: stepMs,
    });
    const areEnough = (slices: readonly SliceAtSpeed[]): boolean =>
      isSettled(slices.map(check).map(errorOf), repetitions, KNOWN_ERROR);
    const slices = await measureAtSpeed(run, speedometer, one.nodes, seconds, areEnough);
    const row = { model: model.name, ...one, ...summarizeSlices(slices.map(check)) };
    rows.push(row);
    onRow(row);
  };
  try {
    if (counts.includes(1)) {
      const alone = new MeasuredRun({ ...task, workers: 1 });
      await alone.start(WARM_SLICES * seconds);
      await checkCase({ nodes: 1, topology: 'star', ...AS_IT_IS, link: 'none' }, alone);
    }
    for (const link of linksOf(workload)) {
      for (const nodes of counts.filter((count) => count > 1)) {
        for (const topology of topologyNames.filter((name) => isDistinct(name, nodes))) {
          const plan = { nodes, threads: 1, topology, ...link, ownCores: true };
          const shared = await SharedRun.start(task, plan, WARM_SLICES * seconds);
          if (shared) await checkCase({ nodes, topology, ...link, link: shared.link }, shared);
        }
      }
    }
  } finally {
    await speedometer.close();
  }
  return rows;
}

interface CheckedSlice {
  readonly predictedMs: number;
  readonly measuredMs: number;
}

const errorOf = ({ predictedMs, measuredMs }: CheckedSlice): number => predictedMs / measuredMs - 1;

const summarizeSlices = (
  slices: readonly CheckedSlice[],
): Pick<PredictionFigures, 'slices' | 'predictedStepMs' | 'measuredStepMs' | 'error'> => ({
  slices: slices.length,
  predictedStepMs: median(slices.map(({ predictedMs }) => predictedMs)),
  measuredStepMs: median(slices.map(({ measuredMs }) => measuredMs)),
  error: summarizeValues(slices.map(errorOf)),
});

/** Whether no other topology does the same: auto is a star but for two nodes, and groups of one are a mesh. */
const isDistinct = (topology: Topology, nodes: number): boolean =>
  (topology !== 'auto' || nodes === 2) && (topology !== 'hierarchical' || nodes > 3);

const percent = (error: number): string => `${fixed(100 * error, 0).replace(/^(?!-)/, '+')}%`;

const describeLink = ({ megabits, delayMs }: LinkCase): string =>
  delayMs === undefined
    ? formatLink(megabits === undefined ? Number.POSITIVE_INFINITY : 1e6 * megabits)
    : `${delayMs} ms`;

/** A row's cells, in the order of the table's. */
const cellsOf = (row: PredictionFigures): string[] => [
  row.model,
  String(row.nodes),
  row.nodes === 1 ? '' : row.topology,
  row.nodes === 1 ? '' : `${row.link}, ${describeLink(row)}`,
  String(row.slices),
  `${fixed(row.predictedStepMs, 2)} ms`,
  `${fixed(row.measuredStepMs, 2)} ms`,
  `${percent(row.error.median)} (${percent(row.error.min)} to ${percent(row.error.max)})`,
];

/** A row by itself, for who waits. */
export function describePrediction(row: PredictionFigures): string {
  const [model, nodes, topology, link, slices, predicted, measured, error] = cellsOf(row);
  const which = [model, `nodes ${nodes}`, topology, link].filter((word) => word !== '').join(', ');
  return `${which}: predicted ${predicted}, measured ${measured} in ${slices} slices: ${error}`;
}

export function formatPredictions(rows: readonly PredictionFigures[]): string[] {
  const headings = ['Model', 'Nodes', 'Topology', 'Link', 'Slices', 'Predicted', 'Measured', 'Error'];
  const lines = rows.map(cellsOf);
  const within = rows.filter(({ error }) => Math.abs(error.median) <= 0.15).length;
  return [...formatTable([headings, ...lines], 'lrllrrrr'), '', `${within} of ${rows.length} within 15%.`];
}
