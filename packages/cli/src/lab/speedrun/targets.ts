/** What `lockstep speedrun` runs for each accuracy: chosen on held-out training images, see docs/reproduction.md. */

import type { ModelSpec, Recipe } from '@lockstep/core/spec';
import { findRecipe, findZooModel } from '@lockstep/core/zoo';

export interface Target {
  /** On the test set, a fraction. */
  readonly accuracy: number;
  readonly model: string;
  /** Name of the recipe. */
  readonly recipe: string;
}

export const targets: readonly Target[] = [
  { accuracy: 0.99, model: 'sprint13k', recipe: 'sprint' },
  { accuracy: 0.994, model: 'sprint33k', recipe: 'sprint' },
  { accuracy: 0.996, model: 'sprint165k', recipe: 'sprint' },
];

export const findTarget = (accuracy: number): Target | undefined =>
  targets.find((target) => target.accuracy === accuracy);

export function resolveTarget({ model, recipe }: Target): { readonly model: ModelSpec; readonly recipe: Recipe } {
  const entry = findZooModel(model);
  return { model: entry.model, recipe: findRecipe(entry, recipe) };
}
