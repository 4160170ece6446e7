/** What a run with --weights starts from, and what it tells about it. */
import { resolve } from 'node:path';
import { LockstepError } from '@lockstep/core/errors';
import { inferLayers } from '@lockstep/core/model';
import type { ModelState } from '@lockstep/core/run';
import type { Beginning } from '@lockstep/core/seams';
import { hashParameters } from '@lockstep/core/state';
import type { AgainSettings } from '../settings/run-again.js';
import type { RunSettings } from '../settings/run-settings.js';
import { loadModelState } from '../settings/weights-file.js';
import { transferWeights } from './model-source.js';

type Settings = Pick<RunSettings, 'model' | 'recipe' | 'seed' | 'weights' | 'hasNewHead'>;

/**
 * Loads the state that a run starts from: all of the model, or, for a new head or frozen layers, what fits by name.
 *
 * @param tell takes lines about what was loaded, skipped and new
 * @returns undefined without --weights
 * @throws LockstepError as core's `loadWeights`, and `transferWeights`
 */
export function loadInitialState(settings: Settings, tell: (line: string) => void): ModelState | undefined {
  const { model, recipe, weights, hasNewHead = false } = settings;
  if (weights === undefined) return undefined;
  if (!hasNewHead && recipe.freeze === undefined) return loadModelState(weights, model, tell);
  const { state, loaded, skipped, fresh, frozenCount } = transferWeights({ ...settings, weights, hasNewHead, tell });
  tell(`Weights from ${weights}, by name; ${frozenCount} frozen`);
  tell(`  loaded: ${loaded.join(', ')}`);
  tell(`  skipped: ${skipped.join('; ') || 'none'}`);
  tell(`  new: ${fresh.join(', ') || 'none'}`);
  return state;
}

/** How a run is to be known that begins with the weights of a file; undefined for one that does not. */
export function describeBeginning(
  { model, weights, hasNewHead = false }: Pick<Settings, 'model' | 'weights' | 'hasNewHead'>,
  initial: ModelState | undefined,
): Beginning | undefined {
  if (weights === undefined || initial === undefined) return undefined;
  return { weights: { path: resolve(weights), sha256: hashParameters(inferLayers(model), initial), hasNewHead } };
}

/**
 * Finds out whether a run that is run again begins with the weights that it has begun with.
 *
 * @returns a line for people where other weights were asked for
 * @throws LockstepError LOCKSTEP_CONFIG_RUN where the file is another by now
 */
export function compareBeginning(again: AgainSettings, beginning: Beginning | undefined): string | undefined {
  const [before, now] = [again.beginning.weights, beginning?.weights];
  if (before?.sha256 === now?.sha256) return undefined;
  const describe = (weights: typeof now): string =>
    weights === undefined ? "its seed's weights" : `${weights.path}, SHA-256 ${weights.sha256.slice(0, 12)}...`;
  const text = `the run of ${again.path} began with ${describe(before)}; this is ${describe(now)}`;
  if (again.hasOtherWeights) return text;
  throw new LockstepError('LOCKSTEP_CONFIG_RUN', `${text}. Say where the same weights are with --weights FILE.`);
}
