/** What the bench commands of several nodes do. */

import { checkOutputPath, writeFileAtomically } from '@lockstep/core/files';
import { findUsableCores } from '@lockstep/core/machine';
import { loadData } from '../../api/data.js';
import { type Io, writeJson, writeLine } from '../../terminal/io.js';
import { measureEach } from '../measure-each.js';
import type { Costs } from '../simulate/costs.js';
import { announce, benchModels } from './bench-models.js';
import { printReport } from './bench-report.js';
import { LARGE_PARAMETERS, planWorkload, type Workload } from './measure/workload.js';
import { calibrate, formatCosts } from './nodes/calibrate.js';
import { type ClusterFigures, formatCluster, measureCluster } from './nodes/cluster-speed.js';
import {
  checkPredictions,
  describePrediction,
  formatPredictions,
  type PredictionFigures,
} from './nodes/predictions.js';
import type { BenchSettings } from './settings.js';

const GIGABIT = 1000;

/** Two nodes on a link that is not capped for small models, on one of 1 Gbit/s for large ones: what limits them. */
export function runCluster(settings: BenchSettings, io: Io): Promise<number> {
  const { seconds, repetitions } = settings;
  return benchModels<ClusterFigures>(
    settings,
    io,
    async ({ plan }, keep) => {
      const workload = await plan(1);
      const megabits = workload.parameters > LARGE_PARAMETERS ? GIGABIT : undefined;
      for (const topology of ['auto', 'star', 'mesh'] as const) {
        const row = await measureCluster(workload, settings.data, { topology, megabits }, seconds, repetitions);
        if (row) keep(row);
      }
    },
    ({ rows }) => printReport({ bench: 'cluster', seconds, repetitions, rows }, formatCluster(rows), settings, io),
  );
}

/** Writes what `lockstep simulate` reads: all of it, or nothing. */
export async function runCalibrate(settings: BenchSettings, out: string, io: Io): Promise<number> {
  checkOutputPath(out, '--out');
  const measure = async (): Promise<void> => {
    const costs = await calibrateHere(settings, io);
    writeFileAtomically(out, [Buffer.from(`${JSON.stringify(costs, null, 2)}\n`)]);
    if (settings.json) writeJson(io.stdout, costs);
    else for (const line of [...formatCosts(costs), '', `Written to ${out}.`]) writeLine(io.stdout, line);
  };
  return measureEach([measure], 'calibrations are done', (calibration) => calibration(), io);
}

async function calibrateHere(settings: BenchSettings, io: Io): Promise<Costs> {
  const { workers: threads, data, seconds, repetitions } = settings;
  const workloads: Workload[] = [];
  for (const entry of settings.models) workloads.push(await planAlone(entry, settings, io));
  return calibrate({ workloads, data, threads, seconds, repetitions, announce: (what) => announce(what, io) });
}

/** Calibrates, then measures nodes on this machine and compares. `workers` are the numbers of nodes. */
export async function runPredictions(settings: BenchSettings, io: Io): Promise<number> {
  const { seconds, repetitions, workers: nodes } = settings;
  const cores = findUsableCores().count;
  const rows: PredictionFigures[] = [];
  const onRow = (row: PredictionFigures): void => {
    rows.push(row);
    writeLine(io.stderr, describePrediction(row));
  };
  let costs: Costs | undefined;
  const calibration = async (): Promise<void> => {
    costs = await calibrateHere({ ...settings, workers: cores > 1 ? [1, cores] : [1] }, io);
  };
  const checks = settings.models.map((entry) => async (): Promise<void> => {
    const workload = await planAlone(entry, settings, io);
    announce(`${entry.model.name} in nodes`, io);
    await checkPredictions(workload, costs as Costs, { nodes, data: settings.data, seconds, repetitions, onRow });
  });
  const code = await measureEach([calibration, ...checks], 'parts are done', (part) => part(), io);
  if (costs === undefined) return code;
  const lines = [...formatCosts(costs), '', ...formatPredictions(rows)];
  printReport({ bench: 'predictions', seconds, costs, rows }, lines, settings, io);
  return code;
}

type Entry = BenchSettings['models'][number];

/** What one worker is given. */
async function planAlone({ model, recipe }: Entry, { data }: BenchSettings, io: Io): Promise<Workload> {
  return planWorkload(model, recipe, await loadData({ path: data }, model, io), 1);
}
