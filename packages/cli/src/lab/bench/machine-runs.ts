/** What each bench command does on one machine: measure, print. Those of several nodes are in node-runs.ts. */
import type { EngineName } from '@lockstep/core/seams';
import type { Io } from '../../terminal/io.js';
import { announce, benchAgainstPeak, benchModels } from './bench-models.js';
import { printReport } from './bench-report.js';
import type { StepFigures } from './kernels/kernel-figures.js';
import { profileModel } from './kernels/kernel-profile.js';
import { formatStep } from './kernels/kernel-table.js';
import { describeOccasion } from './measure/machine.js';
import { benchRecipe } from './measure/workload.js';
import { formatMemory, type MemoryFigures, measureMemory } from './memory.js';
import { formatScaling, measureScaling } from './scaling.js';
import { drawScaling } from './scaling-picture.js';
import type { BenchSettings } from './settings.js';
import { measureSpeed } from './speed.js';
import { drawSpeed } from './speed-picture.js';
import { formatSpeed } from './speed-table.js';
import { formatSync, measureSync, type SyncFigures } from './sync.js';
import { compareEngines, type EngineComparison, formatEngines } from './tensorflow.js';
import { formatWatching, measureWatching, type WatchingFigures } from './watching.js';

export function runSpeed(settings: BenchSettings, io: Io): Promise<number> {
  const { engine, seconds, repetitions } = settings;
  return benchAgainstPeak(
    settings,
    io,
    (workload, peak) => measureSpeed(workload, settings, peak),
    drawSpeed,
    ({ rows: models, data }, occasion) => {
      const figures = { bench: 'speed', data, engine, seconds, repetitions, models } as const;
      printReport(figures, formatSpeed(models), settings, io, occasion);
    },
  );
}

export function runScaling(asked: BenchSettings, io: Io): Promise<number> {
  const { seconds, repetitions } = asked;
  // everything is compared with one worker
  const workers = [1, ...asked.workers.filter((count) => count !== 1)];
  const settings = { ...asked, workers };
  return benchAgainstPeak(
    settings,
    io,
    (workload, peak) => measureScaling(workload, { workers, seconds, repetitions }, peak),
    drawScaling,
    ({ rows: models, data }, occasion) => {
      const figures = { bench: 'scaling', data, seconds, repetitions, models } as const;
      printReport(figures, formatScaling(models), settings, io, occasion);
    },
  );
}

export function runWatching(settings: BenchSettings, io: Io): Promise<number> {
  const { seconds, repetitions, data } = settings;
  const workers = settings.workers[0] as number;
  return benchModels<WatchingFigures>(
    settings,
    io,
    async ({ model, recipe }, keep) => {
      announce(model.name, io);
      const task = { model, recipe: benchRecipe(recipe), data, workers };
      for (const row of await measureWatching(task, { seconds, repetitions })) keep(row);
    },
    ({ rows }) =>
      printReport({ bench: 'watching', workers, seconds, repetitions, rows }, formatWatching(rows), settings, io),
  );
}

export function runEngines(settings: BenchSettings, engines: readonly EngineName[], io: Io): Promise<number> {
  const { workers, seconds, repetitions, kernels } = settings;
  const occasion = describeOccasion(kernels);
  return benchModels<EngineComparison>(
    settings,
    io,
    async ({ plan }, keep) => {
      const workload = await plan(Math.max(...workers));
      keep(await compareEngines(workload, { engines, workers, seconds, repetitions, kernels }));
    },
    ({ rows: models, data }) =>
      printReport(
        { bench: 'engines', data, seconds, repetitions, models },
        formatEngines(models),
        settings,
        io,
        occasion,
      ),
  );
}

export function runKernels(settings: BenchSettings, io: Io): Promise<number> {
  return benchModels<StepFigures>(
    settings,
    io,
    async ({ plan }, keep) => keep(await profileModel(await plan(1), 4 * settings.seconds)),
    ({ rows, data }) => {
      for (const step of rows) printReport({ bench: 'kernels', data, step }, formatStep(step), settings, io);
    },
  );
}

export function runSync(settings: BenchSettings, io: Io): Promise<number> {
  const { workers, seconds, repetitions } = settings;
  return benchModels<SyncFigures>(
    settings,
    io,
    async ({ plan }, keep) => {
      const workload = await plan(1);
      for (const count of workers) keep(await measureSync(workload, count, settings));
    },
    ({ rows }) => printReport({ bench: 'sync', seconds, repetitions, rows }, formatSync(rows), settings, io),
  );
}

export function runMemory(settings: BenchSettings, io: Io): Promise<number> {
  const { data } = settings;
  return benchModels<MemoryFigures>(
    settings,
    io,
    async ({ model, recipe }, keep) => {
      announce(model.name, io);
      for (const workers of settings.workers) keep(await measureMemory({ model, recipe, data, workers }));
    },
    ({ rows }) => printReport({ bench: 'memory', rows }, formatMemory(rows), settings, io),
  );
}
