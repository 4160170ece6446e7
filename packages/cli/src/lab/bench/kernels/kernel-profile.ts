/** Runs one model's step again and again on this thread, with and without timers at its ops. */
import { type Algorithm, algorithms, PROFILE_FIELDS, profileField } from '@lockstep/kernels';
import { SingleStep } from '@lockstep/worker/single-step';
import { hearSignals } from '../../measure-each.js';
import { median } from '../measure/statistics.js';
import { BENCH_SEED, trainingFlops, type Workload } from '../measure/workload.js';
import { type StepFigures, type StepSample, summarizeStep } from './kernel-figures.js';

const PEAK_ITERATIONS = 20_000;
const WARM_UP_STEPS = 3;

/** @param seconds how long to measure; at least five steps are run */
export async function profileModel(
  { model, recipe, dataset, multiplyAdds }: Workload,
  seconds: number,
): Promise<StepFigures> {
  const step = new SingleStep({ model, recipe, seed: BENCH_SEED, data: dataset.train, normalization: dataset });
  const run = async (): Promise<StepSample> => {
    await hearSignals();
    return runStep(step);
  };
  for (let i = 0; i < WARM_UP_STEPS; i++) await run();
  const runs: StepSample[] = [];
  const peaks: number[] = [];
  const endMs = performance.now() + 1000 * seconds;
  while (runs.length < 5 || performance.now() < endMs) {
    peaks.push(step.kernels.fmaPeak(PEAK_ITERATIONS));
    runs.push(await run());
  }
  return summarizeStep({
    model: model.name,
    samples: step.samples,
    trainingFlopsPerImage: trainingFlops(multiplyAdds),
    peakGigaflops: median(peaks),
    ops: step.ops,
    algorithms: readProfile(step.profile(), profileField.algorithm).map((id) => algorithms[id] as Algorithm),
    runs,
  });
}

function runStep(step: SingleStep): StepSample {
  const contribute = timeNanoseconds(() => step.contribute());
  const update = timeNanoseconds(() => step.update());
  let rows: Float64Array = new Float64Array();
  const timed = timeNanoseconds(() => {
    rows = step.profile();
  });
  const ops = readProfile(rows, profileField.nanoseconds);
  return { ops, between: timed - ops.reduce((sum, time) => sum + time, 0), contribute, update };
}

/** One field of every op. */
const readProfile = (rows: Float64Array, field: number): number[] =>
  Array.from({ length: rows.length / PROFILE_FIELDS }, (_, i) => rows[i * PROFILE_FIELDS + field] as number);

function timeNanoseconds(work: () => void): number {
  const began = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - began);
}
