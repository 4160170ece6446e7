/** A run that is measured (measured-run.ts): trains until it is ended, and tells how far it is. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDataset } from '@lockstep/core/data';
import { loadData } from '../../../api/data.js';
import { type TrainRequest, train } from '../../../api/session.js';
import type { ClusterSettings } from '../../../fields/cluster-fields.js';
import type { WatchSettings } from '../../../fields/watch-fields.js';
import { describeError, EXIT_FAILED } from '../../../terminal/failure.js';
import { collectLate } from '../../../terminal/heap.js';
import { writeLine } from '../../../terminal/io.js';
import { processIo } from '../../../terminal/process-io.js';
import { openWatchers } from '../../../watching/watchers.js';
import type { RunNote, RunTask } from './measured-run.js';
import { BENCH_SEED, planWorkload } from './workload.js';

const HOST = '127.0.0.1';
const FREE = 0;
const MANY_EPOCHS = 1_000_000;

collectLate();
process.once('message', (task: RunTask) => {
  run(task).catch((error: unknown) => {
    writeLine(process.stderr, describeError(error, process.env));
    process.exit(EXIT_FAILED);
  });
});
// an end of the one who measures is an end of the run
process.once('disconnect', () => process.exit());

async function run({ model, recipe, data, workers, folder, cluster }: RunTask): Promise<void> {
  const io = { ...processIo(), stderr: { write: () => {} } };
  const workload = planWorkload(model, recipe, await loadData({ path: data }, model, io), 1);
  const dashboard = folder === undefined ? undefined : { host: HOST, port: FREE, token: undefined };
  const settings = { model, resume: undefined, dashboard, watch: chooseWatch(folder) };
  const { observers, control, page } = await openWatchers(settings, {
    command: 'lockstep bench',
    spelling: io.spelling,
    now: io.now,
  });
  if (page !== undefined) tell({ page });
  const { checksum: _, ...parts } = workload.dataset;
  const request: TrainRequest = {
    ...workload,
    // cut for the measurement, so it has a checksum of its own
    dataset: createDataset(parts),
    recipe: { ...workload.recipe, epochs: MANY_EPOCHS },
    seed: BENCH_SEED,
    workers,
    engine: 'native',
    observers,
    control,
    ...(cluster && { cluster: describeCluster(cluster), evaluate: 'end' }),
  };
  for await (const event of train(request)) {
    if (event.event === 'listening') tell({ url: event.url });
    if (event.event !== 'progress') continue;
    const step = (event.epoch - 1) * event.stepsPerEpoch + event.step;
    tell({ step, atMs: performance.now(), besideMs: readBeside(workers), nodes: event.nodes });
  }
}

const describeCluster = ({ host, topology, nodes, token }: NonNullable<RunTask['cluster']>): ClusterSettings => ({
  host,
  port: FREE,
  waitFor: nodes - 1,
  expect: 0,
  token: Buffer.from(token),
  topology,
  transport: 'tcp',
  audit: 0,
  tlsCert: undefined,
  tlsKey: undefined,
});

/** Everything, at its most talkative; or nothing. */
function chooseWatch(folder: string | undefined): WatchSettings {
  const at = (name: string): string | undefined => folder && join(folder, name);
  return {
    out: at('out'),
    tensorboard: at('tensorboard'),
    trace: at('trace.json'),
    logFile: at('run.log'),
    logLevel: 'debug',
    metrics: folder === undefined ? undefined : { host: HOST, port: FREE },
  };
}

/** CPU time of all threads but the `workers` busiest, which compute; undefined where there is no /proc. */
function readBeside(workers: number): number | undefined {
  if (!existsSync(THREADS)) return undefined;
  const times = readdirSync(THREADS).map((thread) =>
    Number(readFileSync(join(THREADS, thread, 'schedstat'), 'utf8').split(' ')[0]),
  );
  const beside = times.sort((a, b) => b - a).slice(workers);
  return beside.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e6;
}

const THREADS = '/proc/self/task';

const tell = (note: RunNote): void => void process.send?.(note);
