/** What a run with --weights starts from, and what it tells about it. */
import type { ModelState } from '@lockstep/core/run';
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
