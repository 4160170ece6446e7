/** What each bench command does: load, measure, print. */
import { availableParallelism } from 'node:os';
import type { Dataset } from '@lockstep/core/data';
import { checkOutputPath, writeFileAtomically } from '@lockstep/core/files';
import type { EngineName } from '@lockstep/core/seams';
import type { ModelSpec } from '@lockstep/core/spec';
import { loadData } from '../../api/data.js';
import { type Io, writeLine } from '../../terminal/io.js';
import type { Costs } from '../simulate/costs.js';
import type { StepFigures } from './kernels/kernel-figures.js';
import { profileModel } from './kernels/kernel-profile.js';
import { formatStep } from './kernels/kernel-table.js';
import { describeOccasion, formatOccasion, type Occasion } from './measure/machine.js';
import { PeakMeter } from './measure/peak-meter.js';
import { BENCH_BATCH, benchRecipe, LARGE_PARAMETERS, planWorkload, type Workload } from './measure/workload.js';
import { measureEach } from './measure-each.js';
import { formatMemory, type MemoryFigures, measureMemory } from './memory.js';
import { calibrate, formatCosts } from './nodes/calibrate.js';
import { type ClusterFigures, formatCluster, measureCluster } from './nodes/cluster-speed.js';
import {
  checkPredictions,
  describePrediction,
  formatPredictions,
  type PredictionFigures,
} from './nodes/predictions.js';
import { drawSpeed } from './picture.js';
import { formatScaling, type ModelScaling, measureScaling } from './scaling.js';
import { drawScaling } from './scaling-picture.js';
import type { BenchSettings } from './settings.js';
import { type ModelFigures, measureSpeed } from './speed.js';
import { formatSpeed } from './speed-table.js';
import { formatSync, measureSync, type SyncFigures } from './sync.js';
import { compareEngines, type EngineComparison, formatEngines } from './tensorflow.js';
import { formatWatching, measureWatching, type WatchingFigures } from './watching.js';

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

export async function runSpeed(settings: BenchSettings, io: Io): Promise<number> {
  const { workers, engine, seconds, repetitions } = settings;
  if (settings.picture !== undefined) checkOutputPath(settings.picture, '--picture');
  const occasion = describeOccasion();
  const meter = new PeakMeter(Math.max(...workers));
  const models: ModelFigures[] = [];
  let data = '';
  let code = 0;
  try {
    code = await measureEach(
      settings.models,
      MODELS,
      async ({ model, recipe }) => {
        const dataset = await loadBenchData(settings, model, io);
        data = dataset.source;
        announce(model.name, io);
        const workload = planWorkload(model, recipe, dataset, Math.max(...workers));
        models.push(await measureSpeed(workload, settings, (count) => meter.measure(count)));
      },
      io,
    );
  } finally {
    await meter.close();
  }
  if (code !== 0 && models.length === 0) return code;
  if (code === 0 && settings.picture !== undefined) {
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
  return code;
}

export async function runScaling(asked: BenchSettings, io: Io): Promise<number> {
  const { seconds, repetitions, picture } = asked;
  // everything is compared with one worker
  const workers = [1, ...asked.workers.filter((count) => count !== 1)];
  if (picture !== undefined) checkOutputPath(picture, '--picture');
  const occasion = describeOccasion();
  const meter = new PeakMeter(Math.max(...workers));
  const models: ModelScaling[] = [];
  let data = '';
  let code = 0;
  try {
    code = await measureEach(
      asked.models,
      MODELS,
      async ({ model, recipe }) => {
        const dataset = await loadBenchData(asked, model, io);
        data = dataset.source;
        announce(model.name, io);
        const workload = planWorkload(model, recipe, dataset, Math.max(...workers));
        models.push(await measureScaling(workload, { workers, seconds, repetitions }, (count) => meter.measure(count)));
      },
      io,
    );
  } finally {
    await meter.close();
  }
  if (code !== 0 && models.length === 0) return code;
  if (code === 0 && picture !== undefined) {
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
  return code;
}

export async function runWatching(settings: BenchSettings, io: Io): Promise<number> {
  const { seconds, repetitions, data } = settings;
  const workers = settings.workers[0] as number;
  const rows: WatchingFigures[] = [];
  const code = await measureEach(
    settings.models,
    MODELS,
    async ({ model, recipe }) => {
      announce(model.name, io);
      const task = { model, recipe: benchRecipe(recipe), data, workers };
      rows.push(...(await measureWatching(task, { seconds, repetitions })));
    },
    io,
  );
  if (code !== 0 && rows.length === 0) return code;
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
  return code;
}

export async function runEngines(settings: BenchSettings, engines: readonly EngineName[], io: Io): Promise<number> {
  const { workers, seconds, repetitions } = settings;
  const models: EngineComparison[] = [];
  let data = '';
  const code = await measureEach(
    settings.models,
    MODELS,
    async ({ model, recipe }) => {
      const dataset = await loadBenchData(settings, model, io);
      data = dataset.source;
      announce(model.name, io);
      const workload = planWorkload(model, recipe, dataset, Math.max(...workers));
      models.push(await compareEngines(workload, { engines, workers, seconds, repetitions }));
    },
    io,
  );
  if (code !== 0 && models.length === 0) return code;
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
  return code;
}

export function runKernels(settings: BenchSettings, io: Io): Promise<number> {
  return measureEach(
    settings.models,
    MODELS,
    async ({ model, recipe }) => {
      const dataset = await loadBenchData(settings, model, io);
      announce(model.name, io);
      const step = await profileModel(planWorkload(model, recipe, dataset, 1), 4 * settings.seconds);
      const report: BenchReport = {
        bench: 'kernels',
        ...describeOccasion(),
        batchSize: BENCH_BATCH,
        data: dataset.source,
        step,
      };
      printReport(report, formatStep(step), settings, io);
    },
    io,
  );
}

export async function runSync(settings: BenchSettings, io: Io): Promise<number> {
  const { workers, seconds, repetitions } = settings;
  const rows: SyncFigures[] = [];
  const code = await measureEach(
    settings.models,
    MODELS,
    async ({ model, recipe }) => {
      const dataset = await loadBenchData(settings, model, io);
      announce(model.name, io);
      const workload = planWorkload(model, recipe, dataset, 1);
      for (const count of workers) rows.push(await measureSync(workload, count, settings));
    },
    io,
  );
  if (code !== 0 && rows.length === 0) return code;
  const report: BenchReport = {
    bench: 'sync',
    ...describeOccasion(),
    batchSize: BENCH_BATCH,
    seconds,
    repetitions,
    rows,
  };
  printReport(report, formatSync(rows), settings, io);
  return code;
}

/** Two nodes on a link that is not capped for small models, on one of 1 Gbit/s for large ones: what limits them. */
export async function runCluster(settings: BenchSettings, io: Io): Promise<number> {
  const { seconds, repetitions } = settings;
  const rows: ClusterFigures[] = [];
  const code = await measureEach(
    settings.models,
    MODELS,
    async ({ model, recipe }) => {
      const dataset = await loadBenchData(settings, model, io);
      announce(model.name, io);
      const workload = planWorkload(model, recipe, dataset, 1);
      const megabits = workload.parameters > LARGE_PARAMETERS ? GIGABIT : undefined;
      for (const topology of ['auto', 'star', 'mesh'] as const) {
        const row = await measureCluster(workload, settings.data, { topology, megabits }, seconds, repetitions);
        if (row) rows.push(row);
      }
    },
    io,
  );
  if (code !== 0 && rows.length === 0) return code;
  const report: BenchReport = {
    bench: 'cluster',
    ...describeOccasion(),
    batchSize: BENCH_BATCH,
    seconds,
    repetitions,
    rows,
  };
  printReport(report, formatCluster(rows), settings, io);
  return code;
}

const GIGABIT = 1000;

export async function runMemory(settings: BenchSettings, io: Io): Promise<number> {
  const rows: MemoryFigures[] = [];
  const code = await measureEach(
    settings.models,
    MODELS,
    async ({ model, recipe }) => {
      announce(model.name, io);
      for (const workers of settings.workers) {
        rows.push(await measureMemory({ model, recipe, data: settings.data, workers }));
      }
    },
    io,
  );
  if (code !== 0 && rows.length === 0) return code;
  const report: BenchReport = { bench: 'memory', ...describeOccasion(), batchSize: BENCH_BATCH, rows };
  printReport(report, formatMemory(rows), settings, io);
  return code;
}

/** Writes what `lockstep simulate` reads: all of it, or nothing. */
export async function runCalibrate(settings: BenchSettings, out: string, io: Io): Promise<number> {
  checkOutputPath(out, '--out');
  const measure = async (): Promise<void> => {
    const costs = await calibrateHere(settings, io);
    writeFileAtomically(out, [Buffer.from(`${JSON.stringify(costs, null, 2)}\n`)]);
    const lines = settings.json ? [JSON.stringify(costs)] : [...formatCosts(costs), '', `Written to ${out}.`];
    for (const line of lines) writeLine(io.stdout, line);
  };
  return measureEach([measure], 'calibrations are done', (calibration) => calibration(), io);
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
export async function runPredictions(settings: BenchSettings, io: Io): Promise<number> {
  const { seconds, repetitions, workers: nodes } = settings;
  const cores = availableParallelism();
  const rows: PredictionFigures[] = [];
  const onRow = (row: PredictionFigures): void => {
    rows.push(row);
    writeLine(io.stderr, describePrediction(row));
  };
  let costs: Costs | undefined;
  const calibration = async (): Promise<void> => {
    costs = await calibrateHere({ ...settings, workers: cores > 1 ? [1, cores] : [1] }, io);
  };
  const checks = settings.models.map(({ model, recipe }) => async (): Promise<void> => {
    const workload = planWorkload(model, recipe, await loadBenchData(settings, model, io), 1);
    announce(`${model.name} in nodes`, io);
    await checkPredictions(workload, costs as Costs, { nodes, data: settings.data, seconds, repetitions, onRow });
  });
  const code = await measureEach([calibration, ...checks], 'parts are done', (part) => part(), io);
  if (costs === undefined) return code;
  const report: BenchReport = {
    bench: 'predictions',
    ...describeOccasion(),
    batchSize: BENCH_BATCH,
    seconds,
    costs,
    rows,
  };
  printReport(report, [...formatCosts(costs), '', ...formatPredictions(rows)], settings, io);
  return code;
}

function loadBenchData({ data }: BenchSettings, model: ModelSpec, io: Io): Promise<Dataset> {
  return loadData({ path: data }, model, io);
}

const MODELS = 'models are measured';

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
