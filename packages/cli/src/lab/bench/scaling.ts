/** `lockstep bench scaling`: what more workers gain, and where the time of their steps goes. */
import { fixed } from '@lockstep/core/text';
import { isTensorFlowSetUp } from '@lockstep/worker/tensorflow-engine';
import type { WorkerTotals } from '@lockstep/worker/threads';
import { formatTable } from '../../terminal/text-table.js';
import { BenchNode } from './measure/bench-node.js';
import { formatPercent, formatRange, formatRate } from './measure/rate-text.js';
import { median, type Spread, summarizeValues } from './measure/statistics.js';
import type { Workload } from './measure/workload.js';

export interface ScalingOptions {
  /** Of which the first is what the others are compared with: 1. */
  readonly workers: readonly number[];
  /** Of each measurement. */
  readonly seconds: number;
  readonly repetitions: number;
}

/** One measurement of one number of workers. */
export interface ScalingSample {
  /** GFLOP/s of as many threads, or of all cores if they are fewer, just before. */
  readonly peak: number;
  readonly imagesPerSecond: number;
  /** Of the workers' time, in this measurement. */
  readonly shares: PhaseShares;
}

/** Shares of a step, the mean of the workers; they add up to 1. */
export interface PhaseShares {
  readonly contribute: number;
  /** At both barriers. */
  readonly wait: number;
  readonly update: number;
}

export interface ScalingFigure {
  readonly workers: number;
  readonly imagesPerSecond: Spread;
  /** Over one worker, of each repetition by itself. */
  readonly speedUp: Spread;
  /** How much more the cores in use can do together than one alone: the most that the speed-up can be. */
  readonly peakGrowth: number;
  /** speedUp / peakGrowth, of each repetition by itself. */
  readonly efficiency: Spread;
  readonly shares: PhaseShares;
}

export interface ModelScaling {
  readonly model: string;
  readonly figures: readonly ScalingFigure[];
  /** Images/s of the tensorflow engine on one worker, if it is set up. */
  readonly tensorflow?: Spread;
}

/** @param samples [position of the worker count][repetition], the first of one worker */
export function summarizeScaling(workers: readonly number[], samples: readonly ScalingSample[][]): ScalingFigure[] {
  const base = samples[0] as ScalingSample[];
  return workers.map((count, position) => {
    const own = samples[position] as ScalingSample[];
    const over = (ratio: (one: ScalingSample, alone: ScalingSample) => number): number[] =>
      own.map((one, repetition) => ratio(one, base[repetition] as ScalingSample));
    const speedUps = over((one, alone) => one.imagesPerSecond / alone.imagesPerSecond);
    const growths = over((one, alone) => one.peak / alone.peak);
    const share = (phase: keyof PhaseShares): number => median(own.map(({ shares }) => shares[phase]));
    return {
      workers: count,
      imagesPerSecond: summarizeValues(own.map(({ imagesPerSecond }) => imagesPerSecond)),
      speedUp: summarizeValues(speedUps),
      peakGrowth: median(growths),
      efficiency: summarizeValues(speedUps.map((speedUp, i) => speedUp / (growths[i] as number))),
      shares: { contribute: share('contribute'), wait: share('wait'), update: share('update') },
    };
  });
}

/** Where the time went between two readings of a node's books. */
export function shareOut(before: readonly WorkerTotals[], after: readonly WorkerTotals[]): PhaseShares {
  const spent = (field: 'contributeMs' | 'waitMs' | 'updateMs'): number =>
    after.reduce((sum, totals, worker) => sum + totals[field] - (before[worker]?.[field] ?? 0), 0);
  const [contribute, wait, update] = [spent('contributeMs'), spent('waitMs'), spent('updateMs')];
  const all = contribute + wait + update;
  return { contribute: contribute / all, wait: wait / all, update: update / all };
}

/** Measures one model: all worker counts and, if it is set up, the tensorflow engine, in turn; peaks stand in between. */
export async function measureScaling(
  workload: Workload,
  { workers, seconds, repetitions }: ScalingOptions,
  peak: (workers: number) => Promise<number>,
): Promise<ModelScaling> {
  const nodes: BenchNode[] = [];
  const open = async (count: number, engine: 'native' | 'tensorflow'): Promise<BenchNode> => {
    const node = new BenchNode(workload, count, { engine, isTimed: true });
    nodes.push(node);
    await node.warmUp(seconds);
    return node;
  };
  try {
    for (const count of workers) await open(count, 'native');
    const other = isTensorFlowSetUp() ? await open(1, 'tensorflow') : undefined;
    const samples: ScalingSample[][] = workers.map(() => []);
    const otherRates: number[] = [];
    for (let repetition = 0; repetition < repetitions; repetition++) {
      for (const [position, count] of workers.entries()) {
        const node = nodes[position] as BenchNode;
        const before = node.readTotals();
        const sample = { peak: await peak(count), imagesPerSecond: await node.measureTraining() };
        (samples[position] as ScalingSample[]).push({ ...sample, shares: shareOut(before, node.readTotals()) });
      }
      if (other) otherRates.push(await other.measureTraining());
    }
    const figures = summarizeScaling(workers, samples);
    const { name } = workload.model;
    return { model: name, figures, ...(other && { tensorflow: summarizeValues(otherRates) }) };
  } finally {
    for (const node of nodes) await node.close();
  }
}

const HEADINGS = ['Model', 'Workers', 'Images/s', '(min-max)', 'Speed-up', '(min-max)', 'Of the cores', '(min-max)'];
const PHASES = ['Shards', 'Update', 'Waiting'];

const formatTimes = (times: number): string => `${fixed(times, 2)}x`;

/** One line per model and worker count, one for the tensorflow engine. */
export function formatScaling(models: readonly ModelScaling[]): string[] {
  const rows = models.flatMap(({ model, figures, tensorflow }) => [
    ...figures.map(({ workers, imagesPerSecond, speedUp, efficiency, shares }) => [
      model,
      String(workers),
      formatRate(imagesPerSecond.median),
      formatRange(imagesPerSecond),
      formatTimes(speedUp.median),
      `(${fixed(speedUp.min, 2)}-${fixed(speedUp.max, 2)})`,
      formatPercent(efficiency.median),
      `(${formatPercent(efficiency.min)}-${formatPercent(efficiency.max)})`,
      ...[shares.contribute, shares.update, shares.wait].map(formatPercent),
    ]),
    ...(tensorflow ? [formatOther(model, tensorflow, figures[0] as ScalingFigure)] : []),
  ]);
  return formatTable([[...HEADINGS, ...PHASES], ...rows], 'lrrlrlrlrrr');
}

/** Its time is not ours to divide. */
const formatOther = (model: string, rates: Spread, alone: ScalingFigure): string[] => [
  model,
  'tensorflow, 1',
  formatRate(rates.median),
  formatRange(rates),
  formatTimes(rates.median / alone.imagesPerSecond.median),
  ...['', '', '', '', '', ''],
];
