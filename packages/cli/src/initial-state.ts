/** What a run with --weights starts from, and what it tells about it. */
import {
  inferLayers,
  initialBuffers,
  initialParameters,
  LockstepError,
  type MatchedWeights,
  type ModelState,
  matchWeights,
  planFreeze,
} from '@lockstep/core';
import type { RunSettings } from './run-settings.js';
import { loadModelState } from './weights-file.js';

type Settings = Pick<RunSettings, 'model' | 'recipe' | 'seed' | 'weights' | 'hasNewHead'>;

/**
 * Loads the state that a run starts from: all of the model, or, for a new head or frozen layers, what fits by name.
 *
 * @param tell takes lines about what was loaded, skipped and new
 * @returns undefined without --weights
 * @throws LockstepError as core's `loadWeights` and `matchWeights`; LOCKSTEP_FREEZE_NEW when a frozen parameter is not in
 *   the file
 */
export function loadInitialState(settings: Settings, tell: (line: string) => void): ModelState | undefined {
  const { model, recipe, seed, weights, hasNewHead = false } = settings;
  if (weights === undefined) return undefined;
  if (!hasNewHead && recipe.freeze === undefined) return loadModelState(weights, model);
  const layers = inferLayers(model);
  const initial = { parameters: initialParameters(layers, seed), buffers: initialBuffers(layers) };
  const matched = matchWeights(weights, layers, initial, hasNewHead);
  const frozen = planFreeze(layers, recipe.freeze).names;
  const unknown = matched.fresh.filter((name) => frozen.has(name));
  if (unknown.length > 0) {
    throw new LockstepError(
      'LOCKSTEP_FREEZE_NEW',
      `${unknown.join(', ')} would stay at random values: frozen by --freeze, but not in ${weights}. Freeze only what the file has.`,
    );
  }
  for (const line of describeMatch(weights, matched, frozen.size)) tell(line);
  return matched.state;
}

function describeMatch(path: string, { loaded, skipped, fresh }: MatchedWeights, frozenCount: number): string[] {
  return [
    `Weights from ${path}, by name; ${frozenCount} frozen`,
    `  loaded: ${loaded.join(', ')}`,
    `  skipped: ${skipped.join('; ') || 'none'}`,
    `  new: ${fresh.join(', ') || 'none'}`,
  ];
}
