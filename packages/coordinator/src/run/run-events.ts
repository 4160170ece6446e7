/** The events of a run, put together from what its node tells. */
import { reportData } from '@lockstep/core/data';
import type { DataReport, EndEvent, EpochEvent, ProgressEvent, StartEvent } from '@lockstep/core/events';
import { inferLayers, parameterCount } from '@lockstep/core/model';
import { learningRateAt } from '@lockstep/core/run';
import type { SegmentPlan, SegmentProgress, TrainingNode } from '@lockstep/core/seams';
import { hashParameters } from '@lockstep/core/state';
import { describeTest, type Evaluated } from './evaluation.js';
import type { RunOptions } from './run-options.js';

export class RunEvents {
  readonly #startedMs = performance.now();
  readonly report: DataReport;
  /** What computed when the run began, and at the end of the last epoch. */
  readonly #firstEngine: string;
  #lastEngine: string;

  constructor(
    private readonly options: RunOptions,
    private readonly node: TrainingNode,
    private readonly epochSteps: number,
  ) {
    this.report = reportData(options.dataset);
    this.#firstEngine = node.engine;
    this.#lastEngine = node.engine;
  }

  start(): StartEvent {
    const { model, recipe, dataset, seed, resume } = this.options;
    return {
      event: 'start',
      model: model.name,
      parameters: parameterCount(inferLayers(model)),
      workers: this.node.workers,
      engine: this.#firstEngine,
      data: dataset.source,
      trainSamples: dataset.train.count,
      validationSamples: dataset.validation.count,
      testSamples: dataset.test.count,
      seed,
      stepsPerEpoch: this.epochSteps,
      ...(resume && { resumedStep: resume.checkpoint.info.step }),
      recipe,
    };
  }

  /** @param beganMs when the epoch did, or would have without the steps before a resume */
  progress(plan: SegmentPlan, progress: SegmentProgress, beganMs: number): ProgressEvent {
    const seconds = (performance.now() - beganMs) / 1000;
    const step = progress.committed - plan.epoch * this.epochSteps;
    const nodes = this.node.describeNodes?.();
    return {
      event: 'progress',
      epoch: plan.epoch + 1,
      step,
      stepsPerEpoch: this.epochSteps,
      learningRate: learningRateAt(this.options.recipe, Math.max(0, progress.committed - 1), this.epochSteps),
      loss: progress.stepLoss,
      trainLoss: progress.samples > 0 ? progress.lossSum / progress.samples : 0,
      accuracy: progress.samples > 0 ? progress.correct / progress.samples : 0,
      seconds,
      imagesPerSecond: progress.samples / seconds,
      ...(nodes && { nodes }),
    };
  }

  /** @param epoch from 0 */
  epoch(epoch: number, progress: SegmentProgress, evaluated: Evaluated, seconds: number): EpochEvent {
    const { test, validation, ema } = evaluated;
    return {
      event: 'epoch',
      epoch: epoch + 1,
      learningRate: learningRateAt(this.options.recipe, progress.committed - 1, this.epochSteps),
      trainLoss: progress.lossSum / progress.samples,
      trainAccuracy: progress.correct / progress.samples,
      lastLoss: progress.stepLoss,
      ...(validation && { validation }),
      ...(ema && { ema }),
      ...describeTest(test),
      seconds,
      imagesPerSecond: progress.samples / seconds,
      ...this.#engineOfEpoch(),
    };
  }

  #engineOfEpoch(): Pick<EpochEvent, 'engine'> {
    const [before, now] = [this.#lastEngine, this.node.engine];
    this.#lastEngine = now;
    if (before === this.#firstEngine && now === before) return {};
    return { engine: now === before ? now : `${before}, then ${now}` };
  }

  end(
    steps: number,
    { test, validation, ema }: Evaluated,
    why: Pick<EndEvent, 'reason' | 'signal' | 'doubted' | 'unaudited'>,
  ): EndEvent {
    const layers = inferLayers(this.options.model);
    const average = this.node.readAverage();
    return {
      event: 'end',
      epochs: Math.floor(steps / this.epochSteps),
      steps,
      ...describeTest(test),
      ...(validation && { validation }),
      parametersSha256: hashParameters(layers, this.node.readState()),
      ...(ema && { ema }),
      ...(average && { emaSha256: hashParameters(layers, average) }),
      seconds: (performance.now() - this.#startedMs) / 1000,
      ...why,
    };
  }
}
