/** Training, for programs: what the `train` command does, with objects for flags and events for lines. */

import {
  type Dataset,
  describeData,
  holdOutValidation,
  namesOf,
  openDataset,
  type PixelSource,
  takePixels,
} from '@lockstep/core/data';
import { loadEmbedded, loadMnist } from '@lockstep/core/data/mnist';
import type { EndEvent, RunEvent } from '@lockstep/core/events';
import type { Tell } from '@lockstep/core/formats';
import { findUsableCores } from '@lockstep/core/machine';
import { adaptModel, inferLayers } from '@lockstep/core/model';
import { planFreeze } from '@lockstep/core/run';
import { type CheckpointInfo, findCheckpoint, replaceHead } from '@lockstep/core/state';
import { findRunWeights } from '@lockstep/watch/files';
import { DEFAULT_MODEL, DEFAULT_SEED } from '../fields/common-fields.js';
import { resolveRecipe } from '../settings/recipe-settings.js';
import { loadModelState, readDataNotes, readModelOfWeights } from '../settings/weights-file.js';
import { checkHead, resizeMnist } from './data.js';
import { describeBeginning } from './initial-state.js';
import { type ModelSource, readModelSource, transferWeights } from './model-source.js';
import { readRecalled, recallData, resumedRun } from './recalled-data.js';
import { type TrainRequest, type TrainResult, train as trainRequest } from './session.js';
import { type CheckedOptions, checkTrainOptions, optionsSource, type TrainOptions } from './train-options.js';
import { TrainedModel } from './trained-model.js';

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

/** @param notes what is to be known of the weights, told after the start; what is to be known of the data is in its event */
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

async function prepare(given: TrainOptions, tell: Tell): Promise<TrainRequest> {
  const options = checkTrainOptions(given);
  const { steps, until, patience, best, evaluate, checkpoints, override, signal, control, observers } = options;
  const weights = options.weights === undefined ? undefined : findRunWeights(options.weights);
  const resume = options.resume === undefined ? undefined : findCheckpoint(options.resume);
  const info = resume?.checkpoint.info;
  const sourced = options.model === undefined && info ? info : readModelSource(options.model ?? carried(weights));
  const { recipe } = resolveRecipe(info?.recipe ?? sourced.recipe, [optionsSource(options)]);
  const headed = options.replaceHead === undefined ? sourced.model : replaceHead(sourced.model, options.replaceHead);
  const before = weights === undefined ? undefined : readDataNotes(weights, sourced.model);
  const source = { resumed: info?.dataset.pixels, weights: before };
  const classNames = options.replaceHead === undefined ? namesOf(before) : undefined;
  const heldOut = options.validation ?? info?.dataset.validationSamples ?? 0;
  const dataset = await openData(options, { heldOut, info, classNames }, headed.classes, source);
  if (options.replaceHead !== undefined) checkHead(headed, dataset);
  const { model } = adaptModel(headed, dataset);
  planFreeze(inferLayers(model), recipe.freeze);
  const seed = options.seed ?? info?.seed ?? DEFAULT_SEED;
  const isTransfer = options.replaceHead !== undefined || recipe.freeze !== undefined;
  const initial =
    weights === undefined
      ? undefined
      : isTransfer
        ? transferWeights({ model, recipe, seed, weights, hasNewHead: options.replaceHead !== undefined, tell }).state
        : loadModelState(weights, model, tell);
  const beginning = describeBeginning({ model, weights, hasNewHead: options.replaceHead !== undefined }, initial);
  const workers = options.workers ?? findUsableCores().count;
  const engine = options.engine ?? 'native';
  const run = { steps, until, patience, best, evaluate, checkpoints, resume, override, signal, control, observers };
  return { model, recipe, dataset, seed, workers, engine, kernels: options.kernels, initial, beginning, ...run };
}

const carried = (weights: string | undefined): ModelSource =>
  weights === undefined ? DEFAULT_MODEL : readModelOfWeights(weights);

/** A dataset is taken as it is given; one that is read takes over the pixels of the run or the weights before it. */
async function openData(
  { data, validation = 0, override = false }: CheckedOptions,
  {
    heldOut,
    info,
    classNames,
  }: {
    readonly heldOut: number;
    readonly info: CheckpointInfo | undefined;
    /** Of the model, where it names its classes. */
    readonly classNames: readonly string[] | undefined;
  },
  classes: number,
  source: PixelSource,
): Promise<Dataset> {
  if (typeof data === 'object') return holdOutValidation(data, validation);
  const { path, isSample, ...form } = info === undefined ? { path: data } : recallData(info.dataset, { path: data });
  const read = async (): Promise<Dataset> => {
    const openMnist = async () => resizeMnist(await (isSample ? loadEmbedded() : loadMnist({ classes })), form);
    const opened = await (path === undefined
      ? openMnist()
      : openDataset(path, { classes, ...(classNames && { classNames }), ...form }));
    return holdOutValidation(takePixels(opened, source, {}), heldOut);
  };
  return info !== undefined && data === undefined ? await readRecalled(resumedRun(info), override, read) : await read();
}
