/** Two nodes against one: how much of a second machine's speed a run gets, and how well the exchange fills a link. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createDataset,
  inferLayers,
  LockstepError,
  type NodeShare,
  type ProgressEvent,
  planContribution,
  type RunEvent,
} from '@lockstep/core';
import type { ClusterSettings } from '../cluster-fields.js';
import { type TrainRequest, train } from '../session.js';
import { formatTable } from '../text-table.js';
import { LinkNamespace } from './link-namespace.js';
import { BENCH_SEED, type Workload } from './workload.js';

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

const BIN = fileURLToPath(new URL('../bin.js', import.meta.url));
/** Until the threads are warm and shards are dealt by measured speed. */
const WARM_STEPS = 12;
const NODES = 2;

export async function measureCluster(
  workload: Workload,
  one: ClusterCase,
  seconds: number,
  repetitions: number,
): Promise<ClusterFigures> {
  const alone: Pace[] = [];
  const shared: Pace[] = [];
  const namespace = LinkNamespace.open(one.megabits);
  try {
    for (let turn = 0; turn < repetitions; turn++) {
      alone.push(await measurePace({ ...requestOf(workload), workers: NODES }, undefined, seconds, () => {}));
      shared.push(await measureShared(workload, one, namespace, seconds));
    }
  } finally {
    namespace?.close();
  }
  const { stepMs, imagesPerSecond, nodes, linkBytes } = medianOf(shared);
  const { shardSize } = workload.recipe;
  const computeMs = Math.max(...nodes.map((node) => (1000 * node.shards * shardSize) / node.imagesPerSecond));
  const exchangeMs = Math.max(...nodes.map((node) => node.exchangeMs));
  const boundBytes = ((2 * (NODES - 1)) / NODES) * 4 * planContribution(inferLayers(workload.model)).length;
  const boundMs = one.megabits === undefined ? undefined : (boundBytes * 8) / (one.megabits * 1000);
  return {
    model: workload.model.name,
    topology: one.topology,
    megabits: one.megabits,
    link: namespace ? 'namespace' : 'loopback',
    aloneImagesPerSecond: medianOf(alone).imagesPerSecond,
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

const requestOf = ({ model, recipe, dataset: { checksum: _, ...parts } }: Workload): TrainRequest => ({
  model,
  recipe: { ...recipe, epochs: 10_000 },
  // cut for the measurement, so it has a checksum of its own
  dataset: createDataset(parts),
  seed: BENCH_SEED,
  workers: 1,
  engine: 'native',
});

interface Pace {
  readonly imagesPerSecond: number;
  readonly stepMs: number;
  readonly nodes: readonly NodeShare[];
  readonly linkBytes: number | undefined;
}

const medianOf = (paces: readonly Pace[]): Pace =>
  [...paces].sort((a, b) => a.stepMs - b.stepMs)[Math.floor(paces.length / 2)] as Pace;

async function measureShared(
  workload: Workload,
  one: ClusterCase,
  namespace: LinkNamespace | undefined,
  seconds: number,
): Promise<Pace> {
  const folder = mkdtempSync(path.join(tmpdir(), 'lockstep-bench-'));
  const token = randomBytes(32).toString('hex');
  const tokenFile = path.join(folder, 'token');
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const host = namespace?.address ?? '127.0.0.1';
  const cluster: ClusterSettings = {
    host,
    port: 0,
    waitFor: NODES - 1,
    token: Buffer.from(token),
    topology: one.topology,
    audit: 0,
    tlsCert: undefined,
    tlsKey: undefined,
  };
  let node: ChildProcess | undefined;
  try {
    return await measurePace({ ...requestOf(workload), cluster }, namespace, seconds, (event, stop) => {
      if (event.event !== 'listening') return;
      const args = [
        BIN,
        'worker',
        '--connect',
        event.url,
        '--threads',
        '1',
        '--token-file',
        tokenFile,
        '--mesh-listen',
        `0.0.0.0:0`,
      ];
      const [file = '', ...rest] = [...(namespace?.prefix ?? []), process.execPath, ...args];
      node = spawn(file, rest, { stdio: 'ignore' });
      node.on('exit', stop);
    });
  } finally {
    node?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs until it was measured for so long, evaluations left out. */
async function measurePace(
  request: TrainRequest,
  namespace: LinkNamespace | undefined,
  seconds: number,
  onEvent: (event: RunEvent, stop: () => void) => void,
): Promise<Pace> {
  const stop = new AbortController();
  let last: { readonly progress: ProgressEvent; readonly atMs: number; readonly bytes: number } | undefined;
  let steps = 0;
  let trainedMs = 0;
  let linkBytes = 0;
  let nodes: readonly NodeShare[] = [];
  for await (const event of train({ ...request, signal: stop.signal })) {
    onEvent(event, () => stop.abort());
    if (event.event !== 'progress') continue;
    const atMs = performance.now();
    const carried = namespace?.countBytes();
    const bytes = carried ? Math.max(carried.sent, carried.received) : 0;
    if (event.epoch === 1 && event.step < WARM_STEPS) continue;
    if (last && last.progress.epoch === event.epoch && event.step > last.progress.step) {
      steps += event.step - last.progress.step;
      trainedMs += atMs - last.atMs;
      linkBytes += bytes - last.bytes;
    }
    if (!last || last.progress.epoch !== event.epoch || event.step > last.progress.step)
      last = { progress: event, atMs, bytes };
    nodes = event.nodes ?? nodes;
    if (trainedMs > 1000 * seconds) stop.abort();
  }
  if (steps === 0) {
    throw new LockstepError(
      'LOCKSTEP_BENCH_NODE',
      'the second node ended before anything was measured. Try `lockstep worker` by hand.',
    );
  }
  return {
    imagesPerSecond: (1000 * steps * request.recipe.batchSize) / trainedMs,
    stepMs: trainedMs / steps,
    nodes,
    linkBytes: namespace && linkBytes / steps,
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
