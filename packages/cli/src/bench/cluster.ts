/** Two nodes against one: how much of a second machine's speed a run gets, and how well the exchange fills a link. */
import { inferLayers, planContribution } from '@lockstep/core';
import { formatTable } from '../text-table.js';
import { Lan } from './lan.js';
import { measureAlone, measureShared, medianPace, type Pace } from './shared-run.js';
import type { Workload } from './workload.js';

export interface ClusterCase {
  readonly topology: 'star' | 'mesh';
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
  readonly stepMs: number;
  /** The slowest node's. */
  readonly computeMs: number;
  /** From the first sums that a node sends until it has applied the step. */
  readonly exchangeMs: number;
  /** Share of that time in which the node computes too. */
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

export async function measureCluster(
  workload: Workload,
  one: ClusterCase,
  seconds: number,
  repetitions: number,
): Promise<ClusterFigures> {
  const alone: Pace[] = [];
  const shared: Pace[] = [];
  const lan = Lan.open(NODES - 1, one.megabits);
  // on a slow link an exchange is measured, which goes on beside computing where a machine has a core to spare for it
  const run = { nodes: NODES, threads: 1, topology: one.topology, lan, ownCores: one.megabits === undefined };
  try {
    for (let turn = 0; turn < repetitions; turn++) {
      alone.push(await measureAlone(workload, NODES, seconds));
      shared.push(await measureShared(workload, run, seconds));
    }
  } finally {
    lan?.close();
  }
  const { stepMs, imagesPerSecond, nodes, linkBytes } = medianPace(shared);
  const { shardSize } = workload.recipe;
  const computeMs = Math.max(...nodes.map((node) => (1000 * node.shards * shardSize) / node.imagesPerSecond));
  const exchangeMs = Math.max(...nodes.map((node) => node.exchangeMs));
  const boundBytes = ((2 * (NODES - 1)) / NODES) * 4 * planContribution(inferLayers(workload.model)).length;
  const boundMs = one.megabits === undefined ? undefined : (boundBytes * 8) / (one.megabits * 1000);
  return {
    model: workload.model.name,
    topology: one.topology,
    megabits: one.megabits,
    link: lan ? 'namespace' : 'loopback',
    aloneImagesPerSecond: medianPace(alone).imagesPerSecond,
    imagesPerSecond,
    stepMs,
    computeMs,
    exchangeMs,
    overlap: Math.max(0, (computeMs + exchangeMs - stepMs) / exchangeMs),
    boundBytes,
    linkBytes,
    boundMs,
    exchangeShare: boundMs === undefined ? undefined : boundMs / exchangeMs,
  };
}

export function formatCluster(rows: readonly ClusterFigures[]): string[] {
  const head = [
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
  const percent = (part: number): string => `${(100 * part).toFixed(1)}%`;
  const ms = (value: number | undefined): string => (value === undefined ? '-' : `${value.toFixed(2)} ms`);
  return formatTable(
    [
      head,
      ...rows.map((row) => [
        row.model,
        row.topology,
        `${row.link}${row.megabits === undefined ? '' : `, ${row.megabits} Mbit/s`}`,
        `${Math.round(row.aloneImagesPerSecond)}/s`,
        `${Math.round(row.imagesPerSecond)}/s`,
        percent(row.imagesPerSecond / row.aloneImagesPerSecond),
        ms(row.stepMs),
        ms(row.computeMs),
        ms(row.exchangeMs),
        percent(row.overlap),
        (row.boundBytes / 1e6).toFixed(2),
        row.linkBytes === undefined ? '-' : (row.linkBytes / 1e6).toFixed(2),
        ms(row.boundMs),
        row.exchangeShare === undefined ? '-' : percent(row.exchangeShare),
      ]),
    ],
    'lllrrrrrrrrrrr',
  );
}
