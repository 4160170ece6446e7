/** Training, for programs: what the `train` command does, with objects for flags and events for lines. */
import { availableParallelism } from 'node:os';
import type { CheckpointPolicy } from '@lockstep/coordinator';
import {
  adaptModel,
  type Dataset,
  describeData,
  type EndEvent,
  type EngineName,
  findCheckpoint,
  holdOutValidation,
  inferLayers,
  loadMnist,
  type MetricName,
  openDataset,
  type PixelSource,
  parseRecipe,
  planFreeze,
  type RecipeInput,
  type RunControl,
  type RunEvent,
  type RunObserver,
  replaceHead,
  type Tell,
  takePixels,
} from '@lockstep/core';
import { mergeRecipe } from '../recipe-settings.js';
import { type TrainRequest, type TrainResult, train as trainRequest } from '../session.js';
import { loadModelState, readDataNotes, readModelOfWeights } from '../weights-file.js';
import { type ModelSource, readModelSource, transferWeights } from './model-source.js';
import { TrainedModel } from './trained-model.js';

export interface TrainOptions {
  /** Default: the resumed checkpoint's, else the one that `weights` carries, else `tiny6k`. */
  readonly model?: ModelSource | undefined;
  /** Laid over the model's own recipe (or the checkpoint's), field by field. */
  readonly recipe?: RecipeInput | undefined;
  /**
   * A dataset, see `createArrayDataset`, with its own mean and std; or a path, see `openDataset`, whose pixels are
   * normalized as by the run to resume or the weights to start from, if there are such. Default: MNIST.
   */
  readonly data?: Dataset | string | undefined;
  /** Training images to hold out for validation; for a dataset given by its path. */
  readonly validation?: number | undefined;
  /** 0 to 2^53 - 1; default: 1. */
  readonly seed?: number | undefined;
  /** Threads; any number gives the same result. Default: this machine's cores. */
  readonly workers?: number | undefined;
  /** Default: `native`. */
  readonly engine?: EngineName | undefined;
  /** Stop after this many steps of the run. */
  readonly steps?: number | undefined;
  /** Stop after the first epoch whose test accuracy reaches this fraction. */
  readonly until?: number | undefined;
  /** Stop after so many epochs that were not better than the best one. */
  readonly patience?: number | undefined;
  /** By what epochs are compared; default: the accuracy on the validation split, if there is one, else on the test split. */
  readonly best?: MetricName | undefined;
  readonly checkpoints?: CheckpointPolicy | undefined;
  /** A folder of checkpoints, or one of them, to go on from. */
  readonly resume?: string | undefined;
  /** Go on although the run differs from the checkpoint's. */
  readonly override?: boolean | undefined;
  /** A weights file to start from; with `recipe.freeze` or `replaceHead`, what fits by name and shape. */
  readonly weights?: string | undefined;
  /** Give the model a new last layer for so many classes. */
  readonly replaceHead?: number | undefined;
  /** Aborting finishes the step, evaluates, and ends the run with reason `interrupted`. */
  readonly signal?: AbortSignal | undefined;
  /** Asks for pauses, checkpoints and the end while the run goes. */
  readonly control?: RunControl | undefined;
  /** Who watches the run; see `RunObserver`. */
  readonly observers?: readonly RunObserver[] | undefined;
}

/** A run: iterate it for its events, or await its result; both may be done, the run goes on once. */
export class TrainingRun implements AsyncIterable<RunEvent> {
  readonly #events: AsyncGenerator<RunEvent, TrainedModel>;
  #model: TrainedModel | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** @internal */
  constructor(start: () => AsyncGenerator<RunEvent, TrainedModel>) {
    this.#events = start();
  }

  /** Events as they happen. Leaving the loop early ends the run after the step it is in. */
  async *[Symbol.asyncIterator](): AsyncGenerator<RunEvent, void> {
    let isLeft = true;
    try {
      for (;;) {
        const event = await this.#next();
        if (event === undefined) break;
        yield event;
      }
      isLeft = false;
    } catch (error) {
      isLeft = false;
      throw error;
    } finally {
      if (isLeft) await this.#events.return(undefined as never);
    }
  }

  /**
   * Runs to the end, if it is not there yet.
   *
   * @returns the trained model
   * @throws LockstepError for input that is wrong, and for what goes wrong on the way; see docs/errors.md
   */
  async result(): Promise<TrainedModel> {
    while ((await this.#next()) !== undefined);
    if (this.#model === undefined) throw new Error('the run was left before its end, so it has no result');
    return this.#model;
  }

  async #next(): Promise<RunEvent | undefined> {
    if (this.#failure) throw this.#failure.error;
    try {
      const next = await this.#events.next();
      if (!next.done) return next.value;
      this.#model ??= next.value;
      return undefined;
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }
}

/**
 * Trains a model. Nothing happens before the run is iterated or its result awaited.
 *
 * @throws LockstepError when iterated, for input that is wrong, with the code of docs/errors.md
 */
export const train = (options: TrainOptions = {}): TrainingRun => new TrainingRun(() => start(options));

async function* start(options: TrainOptions): AsyncGenerator<RunEvent, TrainedModel> {
  const notes: string[] = [];
  const request = await prepare(options, (note) => notes.push(note));
  const { result, steps } = yield* follow(request, notes);
  return new TrainedModel(request.model, result.state, describeData(request.dataset), steps);
}

/** @param notes what is to be known of the run, told after its start */
async function* follow(
  request: TrainRequest,
  notes: readonly string[],
): AsyncGenerator<RunEvent, { readonly result: TrainResult; readonly steps: number }> {
  const events = trainRequest(request);
  let end: EndEvent | undefined;
  try {
    for (;;) {
      const next = await events.next();
      if (next.done) return { result: next.value, steps: end?.steps ?? 0 };
      if (next.value.event === 'end') end = next.value;
      yield next.value;
      if (next.value.event !== 'start') continue;
      for (const message of notes) yield { event: 'warning', code: 'LOCKSTEP_WEIGHTS_ADOPTED', message };
    }
  } finally {
    // Left early: the workers end before this returns.
    await events.return(undefined as never);
  }
}

async function prepare(options: TrainOptions, tell: Tell): Promise<TrainRequest> {
  const { weights, steps, until, patience, best, checkpoints, override, signal, control, observers } = options;
  const resume = options.resume === undefined ? undefined : findCheckpoint(options.resume);
  const info = resume?.checkpoint.info;
  const sourced = options.model === undefined && info ? info : readModelSource(options.model ?? carried(weights));
  const recipe = parseRecipe(mergeRecipe({ ...(info?.recipe ?? sourced.recipe) }, options.recipe ?? {}), 'options');
  const headed = options.replaceHead === undefined ? sourced.model : replaceHead(sourced.model, options.replaceHead);
  const before = weights === undefined ? undefined : readDataNotes(weights, sourced.model);
  const source = { resumed: info?.dataset.pixels, weights: before };
  const dataset = await openData(options, headed.classes, source, tell);
  const { model } = adaptModel(headed, dataset);
  planFreeze(inferLayers(model), recipe.freeze);
  const seed = options.seed ?? info?.seed ?? 1;
  const isTransfer = options.replaceHead !== undefined || recipe.freeze !== undefined;
  const initial =
    weights === undefined
      ? undefined
      : isTransfer
        ? transferWeights({ model, recipe, seed, weights, hasNewHead: options.replaceHead !== undefined, tell }).state
        : loadModelState(weights, model, tell);
  const workers = options.workers ?? availableParallelism();
  const engine = options.engine ?? 'native';
  const run = { steps, until, patience, best, checkpoints, resume, override, signal, control, observers };
  return { model, recipe, dataset, seed, workers, engine, initial, ...run };
}

const carried = (weights: string | undefined): ModelSource =>
  weights === undefined ? 'tiny6k' : readModelOfWeights(weights);

/** A dataset is taken as it is given; one that is read takes over the pixels of the run or the weights before it. */
async function openData(
  { data, validation = 0 }: TrainOptions,
  classes: number,
  source: PixelSource,
  tell: Tell,
): Promise<Dataset> {
  if (typeof data === 'object') return data;
  const opened = data === undefined ? await loadMnist({ classes }) : await openDataset(data, { classes });
  const { dataset, notes } = takePixels(opened, source, {});
  notes.forEach(tell);
  return holdOutValidation(dataset, validation);
}
