/** `lockstep speedrun`: trainings from scratch to a test accuracy, by the clock on the wall. */

import { summarizeTotals } from '@lockstep/core/model';
import { countOf, fixed, formatPercent, formatRecipe } from '@lockstep/core/text';
import { loadData, refuseSample } from '../../api/data.js';
import { noteCrowd } from '../../settings/crowd.js';
import { watchEnding } from '../../terminal/ending.js';
import { EXIT_FAILED } from '../../terminal/failure.js';
import { type Io, writeJson, writeLine } from '../../terminal/io.js';
import { describeOccasion, formatOccasion, type Occasion } from '../bench/measure/machine.js';
import { PeakMeter } from '../bench/measure/peak-meter.js';
import { median, type Spread, summarizeValues } from '../bench/measure/statistics.js';
import { trainingFlops } from '../bench/measure/workload.js';
import type { SpeedrunSettings } from './settings.js';
import { resolveTarget, type Target } from './targets.js';
import { runSprint, type Sprint } from './timed-sprint.js';
import { runTorchSprint, type TorchSprint } from './torch-sprint.js';

/** What `--json` prints: one object. */
export interface SpeedrunReport extends Occasion {
  readonly bench: 'speedrun';
  readonly target: Target;
  readonly workers: number;
  readonly batchSize: number;
  readonly repetitions: number;
  /** As many as reach the target. */
  readonly reached: number;
  readonly medianAccuracy: number;
  readonly seconds: Spread;
  readonly startSeconds: Spread;
  readonly coreSeconds: Spread;
  readonly flopsPerImage: number;
  /** All images of a training over all its seconds, start and evaluation among them. */
  readonly imagesPerSecond: number;
  /** The same over the seconds between start and exit, as FLOP/s over what the cores can do. */
  readonly shareOfPeak: number;
  readonly peakGigaflops: number;
  readonly sprints: readonly Sprint[];
  readonly torch: readonly TorchSprint[];
  /** Why there is nothing of PyTorch. */
  readonly torchMissing?: string;
}

/** Of the trainings that have to reach the target: 18 of 20. */
const NEEDED_SHARE = 0.9;

/** Runs, prints. @returns the exit code: 1 when too few trainings reach the target; that of the signal that ended it */
export async function runSpeedrun(settings: SpeedrunSettings, io: Io): Promise<number> {
  // a download belongs to no training's time
  const mnist =
    settings.data === undefined
      ? await loadData({ path: undefined }, resolveTarget(settings.target).model, io)
      : undefined;
  if (mnist) refuseSample(mnist, 'speedrun times trainings to an accuracy');
  noteCrowd(settings.workers, io);
  const ending = watchEnding(io);
  const meter = new PeakMeter(settings.workers);
  const peaks: number[] = [];
  const sprints: Sprint[] = [];
  const torch: TorchSprint[] = [];
  let torchMissing: string | undefined;
  const { target, workers, data, python, torchRuns } = settings;
  const { model, recipe } = resolveTarget(target);
  const { signal } = ending;
  try {
    for (let seed = 1; seed <= settings.runs && !signal.aborted; seed++) {
      peaks.push(await meter.measure(workers));
      const sprint = await runSprint({ model: target.model, recipe: target.recipe, seed, workers, data, signal });
      if (sprint === undefined) break;
      sprints.push(sprint);
      writeLine(io.stderr, describeSprint(sprint, target));
      if (python === undefined || torchMissing !== undefined || torch.length >= torchRuns) continue;
      const peer = await runTorchSprint({
        python,
        model,
        recipe,
        seed,
        threads: workers,
        data,
        device: 'cpu',
        evaluate: 'end',
        signal,
      });
      if (peer === undefined) break;
      if ('missing' in peer) torchMissing = peer.missing;
      else torch.push(peer);
      writeLine(io.stderr, 'missing' in peer ? `PyTorch is left out: ${peer.missing}` : describeTorch(peer));
    }
  } finally {
    ending.stop();
    await meter.close();
  }
  if (signal.aborted)
    writeLine(io.stderr, `Interrupted: ${sprints.length} of ${countOf(settings.runs, 'training')} are done.`);
  if (sprints.length === 0) return ending.exitCode;
  const report = { ...summarize(settings, sprints, peaks), torch, ...(torchMissing !== undefined && { torchMissing }) };
  if (settings.json) writeJson(io.stdout, report);
  else for (const line of formatReport(report)) writeLine(io.stdout, line);
  if (signal.aborted) return ending.exitCode;
  return isReached(report) ? 0 : EXIT_FAILED;
}

const isReached = ({ reached, repetitions }: SpeedrunReport): boolean => reached >= NEEDED_SHARE * repetitions;

function summarize(
  { target, workers }: SpeedrunSettings,
  sprints: readonly Sprint[],
  peaks: readonly number[],
): Omit<SpeedrunReport, 'torch'> {
  const { model, recipe } = resolveTarget(target);
  const flopsPerImage = trainingFlops(summarizeTotals(model).multAdds);
  const peakGigaflops = median(peaks);
  const spread = (pick: (sprint: Sprint) => number): Spread => summarizeValues(sprints.map(pick));
  const [seconds, startSeconds] = [spread((sprint) => sprint.seconds), spread((sprint) => sprint.startSeconds)];
  const images = median(sprints.map(({ steps }) => steps)) * recipe.batchSize;
  return {
    bench: 'speedrun',
    ...describeOccasion(),
    target,
    workers,
    batchSize: recipe.batchSize,
    repetitions: sprints.length,
    reached: sprints.filter(({ accuracy }) => accuracy >= target.accuracy).length,
    medianAccuracy: median(sprints.map(({ accuracy }) => accuracy)),
    seconds,
    startSeconds,
    coreSeconds: spread((sprint) => sprint.coreSeconds),
    flopsPerImage,
    imagesPerSecond: images / seconds.median,
    shareOfPeak: (images * flopsPerImage) / 1e9 / (seconds.median - startSeconds.median) / peakGigaflops,
    peakGigaflops,
    sprints,
  };
}

const seconds = (value: number): string => `${fixed(value, 2)} s`;
const percent = (fraction: number): string => `${formatPercent(fraction)}%`;

const describeSprint = ({ seed, accuracy, seconds: all, startSeconds }: Sprint, target: Target): string =>
  `seed ${seed}: ${percent(accuracy)}${accuracy >= target.accuracy ? '' : ', short of the target'}, ${seconds(all)}, ${seconds(startSeconds)} of them to start`;

const describeTorch = ({ seed, accuracy, seconds: all, version }: TorchSprint): string =>
  `PyTorch ${version}, seed ${seed}: ${percent(accuracy)}, ${seconds(all)}`;

function formatReport(report: SpeedrunReport): string[] {
  const { target, reached, repetitions, torch } = report;
  const ratio = median(torch.map((peer) => peer.seconds)) / report.seconds.median;
  return [
    formatOccasion(report),
    `${target.model}: ${formatRecipe(resolveTarget(target).recipe)}`,
    `${percent(target.accuracy)} reached in ${reached} of ${countOf(repetitions, 'training')}${isReached(report) ? '' : ', too few'}; median ${percent(report.medianAccuracy)}`,
    `from process start to exit: median ${seconds(report.seconds.median)} (${seconds(report.seconds.min)}-${seconds(report.seconds.max)}), ${seconds(report.startSeconds.median)} of it to start`,
    `${Math.round(report.imagesPerSecond)} images/s over all of it; between start and exit ${fixed(100 * report.shareOfPeak, 0)}% of ${fixed(report.peakGigaflops, 0)} GFLOP/s; ${fixed(report.coreSeconds.median, 1)} core-seconds`,
    ...torch.map(describeTorch),
    ...(torch.length > 0 ? [`Lockstep takes 1/${fixed(ratio, 1)} of PyTorch's time`] : []),
  ];
}
