/** Which parameters of a model do not change under a recipe: transfer learning trains the others. */

import { LockstepError } from '../errors/errors.js';
import { didYouMean } from '../errors/nearest.js';
import { headIndex, type Layer, modelParameters } from '../model/layers.js';
import { countOf } from '../text/count-text.js';

/** Where no layer is named so: what the models of torchvision call features, every layer before the first dense one. */
const FEATURES = 'features.*';

export interface Freeze {
  /** Names of the frozen parameters. */
  readonly names: ReadonlySet<string>;
  /** Whether a layer has parameters, all of them frozen: it needs no parameter gradient, its batch norm evaluates. */
  isLayerFrozen(layer: Layer): boolean;
}

/**
 * Finds what a recipe freezes. A pattern names a parameter (`conv1.weight`) or a layer (`conv1`), `*` stands for any text.
 *
 * @throws LockstepError LOCKSTEP_FREEZE_PATTERN when a pattern matches nothing, LOCKSTEP_FREEZE_ALL when nothing is left
 */
export function planFreeze(layers: readonly Layer[], patterns: readonly string[] = []): Freeze {
  const names = new Set(patterns.flatMap((pattern) => matchParameters(layers, pattern)));
  const parameters = modelParameters(layers);
  if (names.size > 0 && names.size === parameters.length) {
    throw new LockstepError(
      'LOCKSTEP_FREEZE_ALL',
      `--freeze ${patterns.join(',')} freezes all ${countOf(parameters.length, 'parameter')}, so there is nothing to train. Freeze fewer.`,
    );
  }
  const isLayerFrozen = (layer: Layer): boolean =>
    layer.parameters.length > 0 && layer.parameters.every(({ name }) => names.has(name));
  return { names, isLayerFrozen };
}

function matchParameters(layers: readonly Layer[], pattern: string): string[] {
  const expression = new RegExp(`^${pattern.split('*').map(escapePattern).join('.*')}$`);
  const matches = layers.flatMap((layer) =>
    layer.parameters.filter(({ name }) => expression.test(layer.name) || expression.test(name)).map(({ name }) => name),
  );
  if (matches.length > 0) return matches;
  if (pattern === FEATURES) return modelParameters(layers.slice(0, featuresEnd(layers))).map(({ name }) => name);
  const known = [...new Set(layers.filter((layer) => layer.parameters.length > 0).map((layer) => layer.name))];
  throw new LockstepError(
    'LOCKSTEP_FREEZE_PATTERN',
    `--freeze ${pattern} matches no parameter${didYouMean(pattern, known) || '.'} The layers with parameters are ` +
      `${known.join(', ')}; ${FEATURES} stands for all before the dense layers.`,
  );
}

const escapePattern = (text: string): string => text.replace(/[\\^$.|?+()[\]{}]/g, '\\$&');

/** Where the dense layers begin; the head, where that is a convolution. */
function featuresEnd(layers: readonly Layer[]): number {
  const specs = layers.map(({ spec }) => spec);
  const firstDense = specs.findIndex(({ type }) => type === 'linear');
  return firstDense < 0 ? headIndex(specs) : firstDense;
}
