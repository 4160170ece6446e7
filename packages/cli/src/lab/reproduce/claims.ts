/** What the documents of the zoo's networks claim, and the runs that show it. */

import { didYouMean, LockstepError } from '@lockstep/core/errors';
import type { ModelSpec, Recipe } from '@lockstep/core/spec';
import { findRecipe, findZooModel } from '@lockstep/core/zoo';

/** One row of the table: a model under one of its recipes, against its document. */
export interface Claim {
  readonly model: string;
  /** Name of the recipe. */
  readonly recipe: string;
  /** What the document says, one line. */
  readonly text: string;
  /** Accuracy that it names, a fraction; undefined where it shows curves alone. */
  readonly accuracy?: number;
  /** Epochs within which it is reached. */
  readonly withinEpochs: number;
  /** Training images to hold out; the accuracy then counts on them too. */
  readonly validation: number;
  /** Steps of `--quick`: about a second. */
  readonly quickSteps: number;
}

const VALIDATION_IMAGES = 5000;

const TINY6K = 'at least 99.4% within 10 epochs (its log: 99.45% at epoch 7)';
const NET19K = 'over 99.4% in fewer than 20 epochs (its log: 99.47% at epoch 12)';
const GAP19K = '99.4% within 20 epochs (its notebook: 99.40% at epoch 17)';
const CURVES = 'learning curves of training and validation, no accuracy named';
const CNN11M = '99% on a validation split and on the test set within 10 epochs (its last loss: 8.9e-8)';

export const claims: readonly Claim[] = [
  { model: 'tiny6k', recipe: 'ours', text: TINY6K, accuracy: 0.994, withinEpochs: 10, validation: 0, quickSteps: 60 },
  { model: 'net19k', recipe: 'ours', text: NET19K, accuracy: 0.994, withinEpochs: 20, validation: 0, quickSteps: 30 },
  { model: 'net19k', recipe: 'author', text: NET19K, accuracy: 0.994, withinEpochs: 20, validation: 0, quickSteps: 30 },
  { model: 'gap19k', recipe: 'ours', text: GAP19K, accuracy: 0.994, withinEpochs: 20, validation: 0, quickSteps: 30 },
  { model: 'gap19k', recipe: 'author', text: GAP19K, accuracy: 0.994, withinEpochs: 20, validation: 0, quickSteps: 8 },
  { model: 'lenet5', recipe: 'ours', text: CURVES, withinEpochs: 10, validation: VALIDATION_IMAGES, quickSteps: 300 },
  { model: 'mynet', recipe: 'ours', text: CURVES, withinEpochs: 10, validation: VALIDATION_IMAGES, quickSteps: 60 },
  {
    model: 'cnn11m',
    recipe: 'author',
    text: CNN11M,
    accuracy: 0.99,
    withinEpochs: 10,
    validation: VALIDATION_IMAGES,
    quickSteps: 2,
  },
];

export const claimedModels: readonly string[] = [...new Set(claims.map(({ model }) => model))];

/**
 * The claims about some models, all if none is named, under one recipe if one is named.
 *
 * @throws LockstepError LOCKSTEP_REPRODUCE_CLAIM for a model without a claim, or a recipe that no claim of them is about
 */
export function selectClaims(models: readonly string[], recipe: string | undefined): Claim[] {
  for (const name of models) {
    if (claimedModels.includes(name)) continue;
    throw claimError(`no document claims anything about "${name}"${didYouMean(name, claimedModels)}`);
  }
  const chosen = claims.filter(
    (claim) =>
      (models.length === 0 || models.includes(claim.model)) && (recipe === undefined || claim.recipe === recipe),
  );
  if (chosen.length > 0) return chosen;
  const names = models.length === 0 ? 'any model' : models.join(', ');
  throw claimError(`there is no claim about ${names} with the recipe "${recipe}".`);
}

const claimError = (text: string): LockstepError =>
  new LockstepError('LOCKSTEP_REPRODUCE_CLAIM', `${text} There are ${claims.map(nameOf).join(', ')}.`);

const nameOf = ({ model, recipe }: Claim): string => `${model} (${recipe})`;

/** The model and recipe that a claim is about. */
export function resolveClaim({ model, recipe }: Claim): { readonly model: ModelSpec; readonly recipe: Recipe } {
  const entry = findZooModel(model);
  return { model: entry.model, recipe: findRecipe(entry, recipe) };
}
