/** Two nodes against one: how much of a second machine's speed a run gets, and how well the exchange fills a link. */
import type { Topology } from '@lockstep/coordinator/steps';
import { inferLayers } from '@lockstep/core/model';
import { planContribution } from '@lockstep/core/run';
import { fixed } from '@lockstep/core/text';
import { formatTable } from '../../../terminal/text-table.js';
import { type Between, measureBetween } from '../measure/between.js';
import { MeasuredRun, type Slice } from '../measure/measured-run.js';
import { median, type Spread, summarizeValues } from '../measure/statistics.js';
import type { Workload } from '../measure/workload.js';
import { SharedRun } from './shared-run.js';

export interface ClusterCase {
  readonly topology: Topology;
  /** Of the link, each way; undefined: not capped. */
  readonly megabits: number | undefined;
}

export interface ClusterFigures {
  readonly model: string;
  readonly topology: string;
  readonly megabits: number | undefined;
  /** `namespace` or `loopback`. */
  readonly link: string;
  /** One node with two threads, and two nodes with one each. */
  readonly aloneImagesPerSecond: number;
  readonly imagesPerSecond: number;
  /** The second over the first, of each slice of the second with those of the first around it. */
  readonly ofAlone: Spread;
  readonly stepMs: number;
  readonly computeMs: number;
  readonly exchangeMs: number;
  /** Share of the exchange that went on while a node computed. */
  readonly overlap: number;
  /** What a node must send, and get, in a step: 2(N - 1)/N times the gradient. */
  readonly boundBytes: number;
  /** What the link carried in a step in the busier direction, all headers included; undefined where it is not counted. */
  readonly linkBytes: number | undefined;
  /** Time that the link needs for boundBytes, both ways at once. */
  readonly boundMs: number | undefined;
  /** boundMs over exchangeMs: the exchange as a share of the link's byte bound. */
  readonly exchangeShare: number | undefined;
}

const NODES = 2;
/** Slices before the first that counts: until then V8 compiles what a step of nodes runs. */
export const WARM_SLICES = 10;
/** Here, where a few hundredths are asked for: until it has compiled all of it. */
const MANY_WARM_SLICES = 30;

/** Measures two nodes and one in turn; undefined where the link cannot be had. */
export async function measureCluster(
  workload: Workload,
  data: string | undefined,
  one: ClusterCase,
  seconds: number,
  repetitions: number,
): Promise<ClusterFigures | undefined> {
  const { model, recipe } = workload;
  const task = { model, recipe, data };
  // on a slow link an exchange is measured, which goes on beside computing where a machine has a core to spare for it
  const plan = { nodes: NODES, threads: 1, ...one, ownCores: one.megabits === undefined, isSteadyMeasured: true };
  const shared = await SharedRun.start(task, plan, MANY_WARM_SLICES * seconds);
  if (!shared) return undefined;
  const alone = new MeasuredRun({ ...task, workers: NODES });
  try {
    await alone.start(WARM_SLICES * seconds);
    const slices = await measureBetween(
      repetitions,
      () => shared.measure(seconds),
      () => alone.measure(seconds),
    );
    return {
      ...summarizeSlices(slices),
      ...describeSteady(shared.steady as Slice, workload, one.megabits),
      topology: one.topology,
      link: shared.link,
    };
  } finally {
    alone.end();
    shared.end();
  }
}

/** @param slices of two nodes, each between two of one */
const summarizeSlices = (
  slices: readonly Between<Slice, Slice>[],
): Pick<ClusterFigures, 'aloneImagesPerSecond' | 'imagesPerSecond' | 'ofAlone'> => ({
  aloneImagesPerSecond: median(slices.map(({ after }) => after.imagesPerSecond)),
  imagesPerSecond: median(slices.map(({ measured }) => measured.imagesPerSecond)),
  ofAlone: summarizeValues(
    slices.map(({ before, measured, after }) => (before.stepMs + after.stepMs) / 2 / measured.stepMs),
  ),
});

/** Where the time of steps goes, seen before the first pause. */
function describeSteady(
  { stepMs, nodes, bytes }: Slice,
  { model, recipe: { shardSize } }: Workload,
  megabits: number | undefined,
): Omit<ClusterFigures, 'topology' | 'link' | keyof ReturnType<typeof summarizeSlices>> {
  const computeMs = Math.max(...nodes.map((node) => (1000 * node.shards * shardSize) / node.imagesPerSecond));
  const exchangeMs = Math.max(...nodes.map((node) => node.exchangeMs));
  const boundBytes = ((2 * (NODES - 1)) / NODES) * 4 * planContribution(inferLayers(model)).length;
  const boundMs = megabits === undefined ? undefined : (boundBytes * 8) / (megabits * 1000);
  return {
    model: model.name,
    megabits,
    stepMs,
    computeMs,
    exchangeMs,
    overlap: Math.max(0, (computeMs + exchangeMs - stepMs) / exchangeMs),
    boundBytes,
    linkBytes: Number.isNaN(bytes) ? undefined : bytes,
    boundMs,
    exchangeShare: boundMs === undefined ? undefined : boundMs / exchangeMs,
  };
}

export function formatCluster(rows: readonly ClusterFigures[]): string[] {
  const headings = [
    'model',
    'topology',
    'link',
    '1 node x 2',
    '2 nodes x 1',
    'of it',
    'step',
    'compute',
    'exchange',
    'overlap',
    'MB bound',
    'MB sent',
    'link bound',
    'share',
  ];
  const percent = (part: number): string => `${fixed(100 * part, 1)}%`;
  const ms = (value: number | undefined): string => (value === undefined ? '-' : `${fixed(value, 2)} ms`);
  return formatTable(
    [
      headings,
      ...rows.map((row) => [
        row.model,
        row.topology,
        `${row.link}${row.megabits === undefined ? '' : `, ${row.megabits} Mbit/s`}`,
        `${Math.round(row.aloneImagesPerSecond)}/s`,
        `${Math.round(row.imagesPerSecond)}/s`,
        `${percent(row.ofAlone.median)} (${percent(row.ofAlone.min)} to ${percent(row.ofAlone.max)})`,
        ms(row.stepMs),
        ms(row.computeMs),
        ms(row.exchangeMs),
        percent(row.overlap),
        fixed(row.boundBytes / 1e6, 2),
        row.linkBytes === undefined ? '-' : fixed(row.linkBytes / 1e6, 2),
        ms(row.boundMs),
        row.exchangeShare === undefined ? '-' : percent(row.exchangeShare),
      ]),
    ],
    'lllrrrrrrrrrrr',
  );
}
