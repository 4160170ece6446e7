/** The story of every bench command: the models one after the other, and what came of them. */
import { checkOutputPath, writeFileAtomically } from '@lockstep/core/files';
import type { ModelSpec, Recipe } from '@lockstep/core/spec';
import { loadData } from '../../api/data.js';
import { type Io, writeLine } from '../../terminal/io.js';
import { measureEach } from '../measure-each.js';
import { describeOccasion, formatOccasion, type Occasion } from './measure/machine.js';
import { PeakMeter } from './measure/peak-meter.js';
import { planWorkload, type Workload } from './measure/workload.js';
import type { BenchSettings } from './settings.js';

/** A model to measure. */
export interface BenchModel {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  /** Loads the data and plans what so many workers are given; says that this model is measured. */
  plan(workers: number): Promise<Workload>;
}

/** What was measured, and for people where its data came from. */
export interface Measured<Row> {
  readonly rows: readonly Row[];
  readonly data: string;
}

/**
 * Measures the models in turn. A signal leaves out what is under way, and what is done is reported all the same.
 *
 * @param measure calls `keep` with each row that it has
 * @returns the exit code
 */
export async function benchModels<Row>(
  settings: BenchSettings,
  io: Io,
  measure: (entry: BenchModel, keep: (row: Row) => void) => Promise<void>,
  report: (measured: Measured<Row>) => void,
): Promise<number> {
  const rows: Row[] = [];
  let data = '';
  const measureOne = async ({ model, recipe }: { model: ModelSpec; recipe: Recipe }): Promise<void> => {
    const plan = async (workers: number): Promise<Workload> => {
      const dataset = await loadData({ path: settings.data }, model, io);
      data = dataset.source;
      announce(model.name, io);
      return planWorkload(model, recipe, dataset, workers);
    };
    await measure({ model, recipe, plan }, (row) => void rows.push(row));
  };
  const code = await measureEach(settings.models, 'models are measured', measureOne, io);
  if (code === 0 || rows.length > 0) report({ rows, data });
  return code;
}

/** Reads the peak of so many cores, in GFLOP/s each. */
type Peak = (count: number) => ReturnType<PeakMeter['measure']>;

/** As `benchModels`, beside the peak of the cores in use; draws a picture of all models, if one is asked for. */
export async function benchAgainstPeak<Row>(
  settings: BenchSettings,
  io: Io,
  measure: (workload: Workload, peak: Peak) => Promise<Row>,
  draw: (rows: readonly Row[], subtitle: string) => string,
  report: (measured: Measured<Row>, occasion: Occasion) => void,
): Promise<number> {
  const { picture } = settings;
  const workers = Math.max(...settings.workers);
  if (picture !== undefined) checkOutputPath(picture, '--picture');
  const occasion = describeOccasion(settings.kernels);
  const meter = new PeakMeter(workers, undefined, settings.kernels);
  let measured: Measured<Row> | undefined;
  let code = 0;
  try {
    code = await benchModels<Row>(
      settings,
      io,
      async ({ plan }, keep) => keep(await measure(await plan(workers), (count) => meter.measure(count))),
      (all) => {
        measured = all;
      },
    );
  } finally {
    await meter.close();
  }
  if (measured === undefined) return code;
  if (code === 0 && picture !== undefined) {
    writeFileAtomically(picture, [Buffer.from(draw(measured.rows, formatOccasion(occasion)))]);
  }
  report(measured, occasion);
  return code;
}

/** Minutes pass: says on stderr what is being measured. */
export const announce = (name: string, io: Io): void => writeLine(io.stderr, `measuring ${name}`);
