/** What a program may give for a model and its weights, brought to what a run takes. */

import { LockstepError } from '@lockstep/core/errors';
import type { Tell } from '@lockstep/core/formats';
import { inferLayers } from '@lockstep/core/model';
import { initialBuffers, initialParameters, type ModelState, planFreeze } from '@lockstep/core/run';
import { type ModelSpec, type ModelSpecInput, parseModelSpec, type Recipe, recipeSchema } from '@lockstep/core/spec';
import { matchWeights } from '@lockstep/core/state';
import { loadModelSpec } from '@lockstep/core/zoo';

/** A name of the zoo, the path of a .json file with a model, or a model written out. */
export type ModelSource = string | ModelSpecInput;

export interface SourcedModel {
  readonly model: ModelSpec;
  /** The model's own. */
  readonly recipe: Recipe;
}

/** @throws LockstepError as core's `loadModelSpec`, `parseModelSpec` and `inferLayers` */
export function readModelSource(source: ModelSource): SourcedModel {
  if (typeof source === 'string') return loadModelSpec(source);
  const model = parseModelSpec(source);
  inferLayers(model);
  return { model, recipe: recipeSchema.parse({}) };
}

/** What a run starts from when it takes over weights by name. */
export interface TransferRequest {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly seed: number;
  /** Path of a weights file. */
  readonly weights: string;
  /** Leave the last layer at its initial values, even where its shape fits. */
  readonly hasNewHead: boolean;
  /** As core's `loadWeights` has it. */
  readonly tell?: Tell | undefined;
}

/**
 * Loads the weights that fit a model by name and shape; the others keep their initial values.
 *
 * @returns the state, and what was loaded, skipped and new
 * @throws LockstepError as core's `matchWeights`; LOCKSTEP_FREEZE_NEW when a frozen parameter is not in the file
 */
export function transferWeights({ model, recipe, seed, weights, hasNewHead, tell }: TransferRequest) {
  const layers = inferLayers(model);
  const initial: ModelState = { parameters: initialParameters(layers, seed), buffers: initialBuffers(layers) };
  const matched = matchWeights(weights, layers, initial, hasNewHead, tell);
  const frozen = planFreeze(layers, recipe.freeze).names;
  const unknown = matched.fresh.filter((name) => frozen.has(name));
  if (unknown.length > 0) {
    throw new LockstepError(
      'LOCKSTEP_FREEZE_NEW',
      `${unknown.join(', ')} would stay at random values: frozen by --freeze, but not in ${weights}. Freeze only what the file has.`,
    );
  }
  return { ...matched, frozenCount: frozen.size };
}
