/** A run of `bench watching`: trains until it is ended, watched by everything or by nobody, and tells how far it is. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadData } from '../data.js';
import { describeError, EXIT_FAILED } from '../failure.js';
import { collectLate } from '../heap.js';
import { writeLine } from '../io.js';
import { processIo } from '../process-io.js';
import { train } from '../session.js';
import type { WatchSettings } from '../watch/watch-fields.js';
import { openWatchers } from '../watchers.js';
import type { WatchedNote, WatchedTask } from './watching.js';
import { BENCH_SEED, planWorkload } from './workload.js';

const HOST = '127.0.0.1';
const FREE = 0;
const MANY_EPOCHS = 1_000_000;

collectLate();
process.once('message', (task: WatchedTask) => {
  run(task).catch((error: unknown) => {
    writeLine(process.stderr, describeError(error, process.env));
    process.exit(EXIT_FAILED);
  });
});
// an end of the one who measures is an end of the run
process.once('disconnect', () => process.exit());

async function run({ model, recipe, data, workers, folder }: WatchedTask): Promise<void> {
  const io = { ...processIo(), stderr: { write: () => {} } };
  const workload = planWorkload(model, recipe, await loadData({ path: data }, model, io), 1);
  const dashboard = folder === undefined ? undefined : { host: HOST, port: FREE, token: undefined };
  const settings = { model, resume: undefined, dashboard, watch: chooseWatch(folder) };
  const { observers, control, page } = await openWatchers(settings, {
    command: 'lockstep bench watching',
    now: io.now,
  });
  if (page !== undefined) tell({ page });
  const request = { ...workload, seed: BENCH_SEED, workers, engine: 'native' } as const;
  const endless = { ...request, recipe: { ...request.recipe, epochs: MANY_EPOCHS } };
  for await (const event of train({ ...endless, observers, control })) {
    if (event.event !== 'progress') continue;
    const step = (event.epoch - 1) * event.stepsPerEpoch + event.step;
    tell({ step, atMs: performance.now(), besideMs: readBeside(workers) });
  }
}

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

const tell = (note: WatchedNote): void => void process.send?.(note);
