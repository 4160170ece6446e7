/** The zoo: the networks that come with Lockstep. */
import { LockstepError } from '../errors/errors.js';
import { didYouMean } from '../errors/nearest.js';
import type { Recipe } from '../spec/recipe.js';
import { cnn11m } from './cnn11m.js';
import { gap19k } from './gap19k.js';
import { lenet5 } from './lenet5.js';
import { mynet } from './mynet.js';
import { net19k } from './net19k.js';
import { sprint13k, sprint33k, sprint165k } from './sprint.js';
import { tiny6k } from './tiny6k.js';
import type { ZooModel } from './zoo-model.js';

/** Those of the documents, smallest first. */
export const zooModels: readonly ZooModel[] = [tiny6k, net19k, gap19k, lenet5, mynet, cnn11m];

/** Those that `lockstep speedrun` trains. */
const sprintModels: readonly ZooModel[] = [sprint13k, sprint33k, sprint165k];

/** Every model that has a name. */
export const namedModels: readonly ZooModel[] = [...zooModels, ...sprintModels];

/**
 * Finds a zoo model by its name.
 *
 * @throws LockstepError LOCKSTEP_MODEL_UNKNOWN naming the nearest model
 */
export function findZooModel(name: string): ZooModel {
  const found = namedModels.find((entry) => entry.model.name === name);
  if (found !== undefined) return found;
  const names = namedModels.map((entry) => entry.model.name);
  throw new LockstepError(
    'LOCKSTEP_MODEL_UNKNOWN',
    `no model is called "${name}"${didYouMean(name, names) || '.'} ` +
      `The zoo has ${names.join(', ')}; a path to a .json file works as well.`,
  );
}

/**
 * Finds a recipe of a zoo model by its name.
 *
 * @throws LockstepError LOCKSTEP_RECIPE_UNKNOWN naming the recipes that there are
 */
export function findRecipe({ model, recipes }: ZooModel, name: string): Recipe {
  const found = Object.hasOwn(recipes, name) ? recipes[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(recipes);
  throw new LockstepError(
    'LOCKSTEP_RECIPE_UNKNOWN',
    `${model.name} has no recipe called "${name}"${didYouMean(name, names) || '.'} It has ${names.join(', ')}.`,
  );
}
