/** What each bench command does: load, measure, print. */
import { availableParallelism } from 'node:os';
import { type Dataset, type EngineName, type ModelSpec, writeFileAtomically } from '@lockstep/core';
import { loadData } from '../data.js';
import { type Io, writeLine } from '../io.js';
import { checkOutputPath } from '../output-path.js';
import type { Costs } from '../simulate/costs.js';
import { calibrate, formatCosts } from './calibrate.js';
import { type ClusterFigures, formatCluster, measureCluster } from './cluster.js';
import type { StepFigures } from './kernel-figures.js';
import { profileModel } from './kernel-profile.js';
import { formatStep } from './kernel-table.js';
import { describeOccasion, formatOccasion, type Occasion } from './machine.js';
import { formatMemory, type MemoryFigures, measureMemory } from './memory.js';
import { PeakMeter } from './peak-meter.js';
import { drawSpeed } from './picture.js';
import { checkPredictions, describePrediction, formatPredictions, type PredictionFigures } from './predictions.js';
import { formatScaling, type ModelScaling, measureScaling } from './scaling.js';
import { drawScaling } from './scaling-picture.js';
import type { BenchSettings } from './settings.js';
import { type ModelFigures, measureSpeed } from './speed.js';
import { formatSpeed } from './speed-table.js';
import { formatSync, measureSync, type SyncFigures } from './sync.js';
import { compareEngines, type EngineComparison, formatEngines } from './tensorflow.js';
import { formatWatching, measureWatching, type WatchingFigures } from './watching.js';
import { BENCH_BATCH, benchRecipe, LARGE_PARAMETERS, planWorkload, type Workload } from './workload.js';

/** What `--json` prints: one object. */
export type BenchReport = Occasion & { readonly batchSize: number; readonly data?: string } & (
    | ({ readonly bench: 'speed'; readonly models: ModelFigures[] } & Pick<
        BenchSettings,
        'engine' | 'seconds' | 'repetitions'
      >)
    | ({ readonly bench: 'engines'; readonly models: EngineComparison[] } & Pick<
        BenchSettings,
        'seconds' | 'repetitions'
      >)
    | { readonly bench: 'kernels'; readonly step: StepFigures }
    | ({ readonly bench: 'sync'; readonly rows: SyncFigures[] } & Pick<BenchSettings, 'seconds' | 'repetitions'>)
    | ({ readonly bench: 'scaling'; readonly models: ModelScaling[] } & Pick<BenchSettings, 'seconds' | 'repetitions'>)
    | ({ readonly bench: 'watching'; readonly workers: number; readonly rows: WatchingFigures[] } & Pick<
        BenchSettings,
        'seconds' | 'repetitions'
      >)
    | { readonly bench: 'memory'; readonly rows: MemoryFigures[] }
    | ({ readonly bench: 'predictions'; readonly costs: Costs; readonly rows: PredictionFigures[] } & Pick<
        BenchSettings,
        'seconds'
      >)
    | ({ readonly bench: 'cluster'; readonly rows: ClusterFigures[] } & Pick<BenchSettings, 'seconds' | 'repetitions'>)
  );

export async function runSpeed(settings: BenchSettings, io: Io): Promise<void> {
  const { workers, engine, seconds, repetitions } = settings;
  if (settings.picture !== undefined) checkOutputPath(settings.picture, '--picture');
  const occasion = describeOccasion();
  const meter = new PeakMeter(Math.max(...workers));
  const models: ModelFigures[] = [];
  let data = '';
  try {
    for (const { model, recipe } of settings.models) {
      const dataset = await loadBenchData(settings, model, io);
      data = dataset.source;
      announce(model.name, io);
      const workload = planWorkload(model, recipe, dataset, Math.max(...workers));
      models.push(await measureSpeed(workload, settings, (count) => meter.measure(count)));
    }
  } finally {
    await meter.close();
  }
  if (settings.picture !== undefined) {
    writeFileAtomically(settings.picture, [Buffer.from(drawSpeed(models, formatOccasion(occasion)))]);
  }
  const report: BenchReport = {
    bench: 'speed',
    ...occasion,
    batchSize: BENCH_BATCH,
    data,
    engine,
    seconds,
    repetitions,
    models,
  };
  printReport(report, formatSpeed(models), settings, io);
}

export async function runScaling(asked: BenchSettings, io: Io): Promise<void> {
  const { seconds, repetitions, picture } = asked;
  // everything is compared with one worker
  const workers = [1, ...asked.workers.filter((count) => count !== 1)];
  if (picture !== undefined) checkOutputPath(picture, '--picture');
  const occasion = describeOccasion();
  const meter = new PeakMeter(Math.max(...workers));
  const models: ModelScaling[] = [];
  let data = '';
  try {
    for (const { model, recipe } of asked.models) {
      const dataset = await loadBenchData(asked, model, io);
      data = dataset.source;
      announce(model.name, io);
      const workload = planWorkload(model, recipe, dataset, Math.max(...workers));
      models.push(await measureScaling(workload, { workers, seconds, repetitions }, (count) => meter.measure(count)));
    }
  } finally {
    await meter.close();
  }
  if (picture !== undefined) {
    writeFileAtomically(picture, [Buffer.from(drawScaling(models, formatOccasion(occasion)))]);
  }
  const report: BenchReport = {
    bench: 'scaling',
    ...occasion,
    batchSize: BENCH_BATCH,
    data,
    seconds,
    repetitions,
    models,
  };
  printReport(report, formatScaling(models), asked, io);
}

export async function runWatching(settings: BenchSettings, io: Io): Promise<void> {
  const { seconds, repetitions, data } = settings;
  const workers = settings.workers[0] as number;
  const rows: WatchingFigures[] = [];
  for (const { model, recipe } of settings.models) {
    announce(model.name, io);
    const task = { model, recipe: benchRecipe(recipe), data, workers };
    rows.push(...(await measureWatching(task, { seconds, repetitions })));
  }
  const report: BenchReport = {
    bench: 'watching',
    ...describeOccasion(),
    batchSize: BENCH_BATCH,
    workers,
    seconds,
    repetitions,
    rows,
  };
  printReport(report, formatWatching(rows), settings, io);
}

export async function runEngines(settings: BenchSettings, engines: readonly EngineName[], io: Io): Promise<void> {
  const { workers, seconds, repetitions } = settings;
  const models: EngineComparison[] = [];
  let data = '';
  for (const { model, recipe } of settings.models) {
    const dataset = await loadBenchData(settings, model, io);
    data = dataset.source;
    announce(model.name, io);
    const workload = planWorkload(model, recipe, dataset, Math.max(...workers));
    models.push(await compareEngines(workload, { engines, workers, seconds, repetitions }));
  }
  const report: BenchReport = {
    bench: 'engines',
    ...describeOccasion(),
    batchSize: BENCH_BATCH,
    data,
    seconds,
    repetitions,
    models,
  };
  printReport(report, formatEngines(models), settings, io);
}

export async function runKernels(settings: BenchSettings, io: Io): Promise<void> {
  const { model, recipe } = settings.models[0] as BenchSettings['models'][number];
  const dataset = await loadBenchData(settings, model, io);
  const step = profileModel(planWorkload(model, recipe, dataset, 1), 4 * settings.seconds);
  const report: BenchReport = {
    bench: 'kernels',
    ...describeOccasion(),
    batchSize: BENCH_BATCH,
    data: dataset.source,
    step,
  };
  printReport(report, formatStep(step), settings, io);
}

export async function runSync(settings: BenchSettings, io: Io): Promise<void> {
  const { workers, seconds, repetitions } = settings;
  const rows: SyncFigures[] = [];
  for (const { model, recipe } of settings.models) {
    const dataset = await loadBenchData(settings, model, io);
    announce(model.name, io);
    const workload = planWorkload(model, recipe, dataset, 1);
    for (const count of workers) rows.push(await measureSync(workload, count, settings));
  }
  const report: BenchReport = {
    bench: 'sync',
    ...describeOccasion(),
    batchSize: BENCH_BATCH,
    seconds,
    repetitions,
    rows,
  };
  printReport(report, formatSync(rows), settings, io);
}

/** Two nodes on a link that is not capped for small models, on one of 1 Gbit/s for large ones: what limits them. */
export async function runCluster(settings: BenchSettings, io: Io): Promise<void> {
  const { seconds, repetitions } = settings;
  const rows: ClusterFigures[] = [];
  for (const { model, recipe } of settings.models) {
    const dataset = await loadBenchData(settings, model, io);
    announce(model.name, io);
    const workload = planWorkload(model, recipe, dataset, 1);
    const megabits = workload.parameters > LARGE_PARAMETERS ? GIGABIT : undefined;
    for (const topology of ['auto', 'star', 'mesh'] as const) {
      const row = await measureCluster(workload, settings.data, { topology, megabits }, seconds, repetitions);
      if (row) rows.push(row);
    }
  }
  const report: BenchReport = {
    bench: 'cluster',
    ...describeOccasion(),
    batchSize: BENCH_BATCH,
    seconds,
    repetitions,
    rows,
  };
  printReport(report, formatCluster(rows), settings, io);
}

const GIGABIT = 1000;

export async function runMemory(settings: BenchSettings, io: Io): Promise<void> {
  const rows: MemoryFigures[] = [];
  for (const { model, recipe } of settings.models) {
    announce(model.name, io);
    for (const workers of settings.workers) {
      rows.push(await measureMemory({ model, recipe, data: settings.data, workers }));
    }
  }
  const report: BenchReport = { bench: 'memory', ...describeOccasion(), batchSize: BENCH_BATCH, rows };
  printReport(report, formatMemory(rows), settings, io);
}

/** Writes what `lockstep simulate` reads. */
export async function runCalibrate(settings: BenchSettings, out: string, io: Io): Promise<void> {
  checkOutputPath(out, '--out');
  const costs = await calibrateHere(settings, io);
  writeFileAtomically(out, [Buffer.from(`${JSON.stringify(costs, null, 2)}\n`)]);
  const lines = settings.json ? [JSON.stringify(costs)] : [...formatCosts(costs), '', `Written to ${out}.`];
  for (const line of lines) writeLine(io.stdout, line);
}

async function calibrateHere(settings: BenchSettings, io: Io): Promise<Costs> {
  const { workers: threads, seconds, repetitions } = settings;
  const workloads: Workload[] = [];
  for (const { model, recipe } of settings.models) {
    workloads.push(planWorkload(model, recipe, await loadBenchData(settings, model, io), 1));
  }
  return calibrate({
    workloads,
    data: settings.data,
    threads,
    seconds,
    repetitions,
    announce: (what) => announce(what, io),
  });
}

/** Calibrates, then measures nodes on this machine and compares. `workers` are the numbers of nodes. */
export async function runPredictions(settings: BenchSettings, io: Io): Promise<void> {
  const { seconds, repetitions, workers: nodes } = settings;
  const cores = availableParallelism();
  const costs = await calibrateHere({ ...settings, workers: cores > 1 ? [1, cores] : [1] }, io);
  const rows: PredictionFigures[] = [];
  for (const { model, recipe } of settings.models) {
    const workload = planWorkload(model, recipe, await loadBenchData(settings, model, io), 1);
    announce(`${model.name} in nodes`, io);
    const onRow = (row: PredictionFigures): void => writeLine(io.stderr, describePrediction(row));
    const plan = { nodes, data: settings.data, seconds, repetitions, onRow };
    rows.push(...(await checkPredictions(workload, costs, plan)));
  }
  const report: BenchReport = {
    bench: 'predictions',
    ...describeOccasion(),
    batchSize: BENCH_BATCH,
    seconds,
    costs,
    rows,
  };
  printReport(report, [...formatCosts(costs), '', ...formatPredictions(rows)], settings, io);
}

function loadBenchData({ data }: BenchSettings, model: ModelSpec, io: Io): Promise<Dataset> {
  return loadData({ path: data }, model, io);
}

/** Minutes pass: says on stderr what is being measured. */
const announce = (name: string, io: Io): void => writeLine(io.stderr, `measuring ${name}`);

function printReport(report: BenchReport, lines: readonly string[], { json }: BenchSettings, io: Io): void {
  if (json) {
    writeLine(io.stdout, JSON.stringify(report));
    return;
  }
  writeLine(io.stdout, formatOccasion(report));
  writeLine(io.stdout);
  for (const line of lines) writeLine(io.stdout, line);
}
