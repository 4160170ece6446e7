/**
 * The run in motion: epochs, segments, evaluation, events. It drives nodes and reports; it computes nothing.
 */
import {
  type Dataset,
  type EndEvent,
  type EpochEvent,
  type EvaluatedSplit,
  type Evaluation,
  hashParameters,
  inferLayers,
  learningRateAt,
  type ModelSpec,
  type ProgressEvent,
  parameterCount,
  type Recipe,
  type RunEvent,
  type SegmentPlan,
  type SegmentProgress,
  type StartEvent,
  stepsPerEpoch,
  type TrainingNode,
  type WarningEvent,
} from '@lockstep/core';

export interface RunOptions {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly dataset: Dataset;
  readonly seed: number;
  /** Stop after this many steps, also in the middle of an epoch. */
  readonly steps?: number | undefined;
  /** Stop after the first epoch whose test accuracy reaches this fraction. */
  readonly until?: number | undefined;
  /** Aborting lets the step end, evaluates, and ends the run with reason `interrupted`. */
  readonly signal?: AbortSignal | undefined;
}

const PROGRESS_MS = 100;

export class Coordinator {
  readonly #warnings: WarningEvent[] = [];
  readonly #startedMs = performance.now();
  readonly #epochSteps: number;

  constructor(
    private readonly options: RunOptions,
    private readonly node: TrainingNode,
  ) {
    this.#epochSteps = stepsPerEpoch(options.dataset.train.count, options.recipe.batchSize);
  }

  /** Takes a warning into the run's events. */
  warn(warning: Omit<WarningEvent, 'event'>): void {
    this.#warnings.push({ event: 'warning', ...warning });
  }

  /** Runs the recipe from the first step. */
  async *run(): AsyncGenerator<RunEvent, void> {
    const { recipe, until } = this.options;
    const totalSteps = Math.min(this.options.steps ?? Number.POSITIVE_INFINITY, recipe.epochs * this.#epochSteps);
    yield this.#start();
    let steps = 0;
    let epochs = 0;
    let test: Evaluated | undefined;
    let reason: EndEvent['reason'] = totalSteps < recipe.epochs * this.#epochSteps ? 'steps' : 'completed';
    while (steps < totalSteps) {
      const epoch = Math.floor(steps / this.#epochSteps);
      const endStep = Math.min(totalSteps, (epoch + 1) * this.#epochSteps);
      const began = performance.now();
      const progress = yield* this.#segment({ epoch, firstStep: steps, endStep }, began);
      steps = progress.committed;
      test = undefined;
      if (steps === (epoch + 1) * this.#epochSteps) {
        epochs = epoch + 1;
        const seconds = (performance.now() - began) / 1000;
        test = await this.#evaluate();
        yield* this.#drainWarnings();
        yield this.#epochEvent(epoch, progress, test, seconds);
      }
      if (this.options.signal?.aborted && steps < totalSteps) {
        reason = 'interrupted';
        break;
      }
      if (test && until !== undefined && test.test.accuracy >= until) {
        reason = 'until';
        break;
      }
    }
    test ??= await this.#evaluate();
    yield* this.#drainWarnings();
    yield this.#end(epochs, steps, test, reason);
  }

  #start(): StartEvent {
    const { model, recipe, dataset, seed } = this.options;
    return {
      event: 'start',
      model: model.name,
      parameters: parameterCount(inferLayers(model)),
      workers: this.node.workers,
      engine: this.node.engine,
      data: dataset.source,
      trainSamples: dataset.train.count,
      validationSamples: dataset.validation.count,
      testSamples: dataset.test.count,
      seed,
      stepsPerEpoch: this.#epochSteps,
      recipe,
    };
  }

  /** Runs a segment; meanwhile reports how far it has come. */
  async *#segment(plan: SegmentPlan, began: number): AsyncGenerator<RunEvent, SegmentProgress> {
    const { signal } = this.options;
    const stop = (): void => this.node.stop();
    const running = this.node.train(plan);
    let isDone = false;
    const done = running.then(
      () => (isDone = true),
      () => (isDone = true),
    );
    // a segment begins with a clean slate, so a stop from before it must be said again
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop);
    try {
      while (!isDone) {
        await Promise.race([done, tick()]);
        yield* this.#drainWarnings();
        if (!isDone) yield this.#progress(plan, this.node.progress(), began);
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      // the reader went away, or the segment failed: never leave workers in a segment
      if (!isDone) {
        stop();
        await done;
      }
    }
    yield* this.#drainWarnings();
    const progress = await running;
    yield this.#progress(plan, progress, began);
    return progress;
  }

  #progress(plan: SegmentPlan, progress: SegmentProgress, began: number): ProgressEvent {
    const seconds = (performance.now() - began) / 1000;
    const step = progress.committed - plan.epoch * this.#epochSteps;
    const trained = (progress.committed - plan.firstStep) * this.options.recipe.batchSize;
    return {
      event: 'progress',
      epoch: plan.epoch + 1,
      step,
      stepsPerEpoch: this.#epochSteps,
      learningRate: learningRateAt(this.options.recipe, Math.max(0, progress.committed - 1), this.#epochSteps),
      loss: progress.stepLoss,
      accuracy: progress.samples > 0 ? progress.correct / progress.samples : 0,
      seconds,
      imagesPerSecond: trained / seconds,
    };
  }

  async #evaluate(): Promise<Evaluated> {
    const test = await this.node.evaluate('test');
    if (this.options.dataset.validation.count === 0) return { test };
    return { test, validation: summarizeSplit(await this.node.evaluate('validation')) };
  }

  #epochEvent(epoch: number, progress: SegmentProgress, { test, validation }: Evaluated, seconds: number): EpochEvent {
    const { recipe } = this.options;
    return {
      event: 'epoch',
      epoch: epoch + 1,
      learningRate: learningRateAt(recipe, progress.committed - 1, this.#epochSteps),
      trainLoss: progress.lossSum / progress.samples,
      trainAccuracy: progress.correct / progress.samples,
      ...(validation && { validation }),
      testLoss: test.loss,
      testAccuracy: test.accuracy,
      testCorrect: test.correct,
      testTotal: test.total,
      seconds,
      imagesPerSecond: progress.samples / seconds,
    };
  }

  #end(epochs: number, steps: number, { test, validation }: Evaluated, reason: EndEvent['reason']): EndEvent {
    return {
      event: 'end',
      epochs,
      steps,
      testLoss: test.loss,
      testAccuracy: test.accuracy,
      testCorrect: test.correct,
      testTotal: test.total,
      ...(validation && { validation }),
      parametersSha256: hashParameters(inferLayers(this.options.model), this.node.readState()),
      seconds: (performance.now() - this.#startedMs) / 1000,
      reason,
    };
  }

  *#drainWarnings(): Generator<WarningEvent, void> {
    yield* this.#warnings.splice(0);
  }
}

interface Evaluated {
  readonly test: EvaluatedSplit;
  readonly validation?: Evaluation;
}

const summarizeSplit = ({ loss, accuracy, correct, total }: EvaluatedSplit): Evaluation => ({ loss, accuracy, correct, total });

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PROGRESS_MS));
