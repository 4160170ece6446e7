/** Training against a clock: in this process alone, and shared with nodes in processes or namespaces of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDataset, LockstepError, type NodeShare, type RunEvent } from '@lockstep/core';
import type { ClusterSettings } from '../cluster-fields.js';
import { type TrainRequest, train } from '../session.js';
import type { Lan } from './lan.js';
import { OwnCores } from './own-cores.js';
import { BENCH_SEED, type Workload } from './workload.js';

export interface Pace {
  readonly imagesPerSecond: number;
  readonly stepMs: number;
  readonly nodes: readonly NodeShare[];
  /** What this process's cable carried in a step in the busier direction, all headers included; where it is counted. */
  readonly linkBytes: number | undefined;
}

export interface SharedRun {
  /** The coordinator's own, which computes too, and others. */
  readonly nodes: number;
  /** Of each node. */
  readonly threads: number;
  readonly topology: ClusterSettings['topology'];
  /** Undefined: over loopback. */
  readonly lan: Lan | undefined;
  /** Whether each node stays on cores of its own, as many as it has threads, if there are so many. */
  readonly ownCores: boolean;
}

const BIN = fileURLToPath(new URL('../bin.js', import.meta.url));
/** Until the threads are there and shards are dealt by measured speed; code is compiled for as long as is measured then. */
const WARM_STEPS = 12;

export const medianPace = (paces: readonly Pace[]): Pace =>
  [...paces].sort((a, b) => a.stepMs - b.stepMs)[Math.floor(paces.length / 2)] as Pace;

/** One node in this process. */
export const measureAlone = (workload: Workload, threads: number, seconds: number): Promise<Pace> =>
  measurePace({ ...requestOf(workload), workers: threads }, undefined, seconds, () => {});

const requestOf = ({ model, recipe, dataset: { checksum: _, ...parts } }: Workload): TrainRequest => ({
  model,
  recipe: { ...recipe, epochs: 10_000 },
  // cut for the measurement, so it has a checksum of its own
  dataset: createDataset(parts),
  seed: BENCH_SEED,
  workers: 1,
  engine: 'native',
});

/** Several nodes; each run begins with processes of its own. */
export async function measureShared(workload: Workload, run: SharedRun, seconds: number): Promise<Pace> {
  const { nodes, threads, topology, lan, ownCores } = run;
  const folder = mkdtempSync(path.join(tmpdir(), 'lockstep-bench-'));
  const token = randomBytes(32).toString('hex');
  const tokenFile = path.join(folder, 'token');
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const cluster: ClusterSettings = {
    host: lan?.address ?? '127.0.0.1',
    port: 0,
    waitFor: nodes - 1,
    token: Buffer.from(token),
    topology,
    transport: 'tcp',
    audit: 0,
    tlsCert: undefined,
    tlsKey: undefined,
  };
  const others: ChildProcess[] = [];
  const cores = ownCores ? OwnCores.find(nodes, threads) : undefined;
  cores?.take(0);
  try {
    return await measurePace({ ...requestOf(workload), workers: threads, cluster }, lan, seconds, (event, stop) => {
      if (event.event !== 'listening') return;
      const flags = ['--connect', event.url, '--threads', String(threads), '--token-file', tokenFile];
      for (let machine = 1; machine < nodes; machine++) {
        const args = [BIN, 'worker', ...flags, '--mesh-listen', '0.0.0.0:0'];
        const [file = '', ...rest] = [
          ...(lan?.prefix(machine) ?? []),
          ...(cores?.prefix(machine) ?? []),
          process.execPath,
          ...args,
        ];
        others.push(spawn(file, rest, { stdio: 'ignore' }).on('exit', stop));
      }
    });
  } finally {
    for (const other of others) other.kill('SIGKILL');
    cores?.release();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs until it was measured for so long, evaluations left out. */
async function measurePace(
  request: TrainRequest,
  lan: Lan | undefined,
  seconds: number,
  onEvent: (event: RunEvent, stop: () => void) => void,
): Promise<Pace> {
  const stop = new AbortController();
  let last:
    | { readonly epoch: number; readonly step: number; readonly atMs: number; readonly bytes: number }
    | undefined;
  let firstMs: number | undefined;
  let steps = 0;
  let trainedMs = 0;
  let linkBytes = 0;
  let nodes: readonly NodeShare[] = [];
  for await (const event of train({ ...request, signal: stop.signal })) {
    onEvent(event, () => stop.abort());
    const atMs = performance.now();
    const bytes = lan?.countBytes() ?? 0;
    const isWarm = firstMs !== undefined && atMs - firstMs >= 1000 * seconds;
    // after an evaluation the next epoch begins
    if (event.event === 'epoch' && isWarm) last = { epoch: event.epoch + 1, step: 0, atMs, bytes };
    if (event.event !== 'progress') continue;
    const { epoch, step } = event;
    if (epoch === 1 && step < WARM_STEPS) continue;
    firstMs ??= atMs;
    if (last && last.epoch === epoch && step > last.step) {
      steps += step - last.step;
      trainedMs += atMs - last.atMs;
      linkBytes += bytes - last.bytes;
    }
    if (isWarm && (last === undefined || last.epoch !== epoch || step > last.step)) last = { epoch, step, atMs, bytes };
    nodes = event.nodes ?? nodes;
    if (trainedMs > 1000 * seconds) stop.abort();
  }
  if (steps === 0) {
    throw new LockstepError(
      'LOCKSTEP_BENCH_NODE',
      'a node ended before anything was measured. Try `lockstep worker` by hand.',
    );
  }
  return {
    imagesPerSecond: (1000 * steps * request.recipe.batchSize) / trainedMs,
    stepMs: trainedMs / steps,
    nodes,
    linkBytes: lan && linkBytes / steps,
  };
}
