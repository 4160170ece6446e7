/** What a zoo entry holds, and how the files of this folder are turned into one. */
import { type ModelSpec, type ModelSpecInput, parseModelSpec } from '../spec/model-spec.js';
import { type Recipe, type RecipeInput, recipeSchema } from '../spec/recipe.js';

/** A network of the zoo with its recipes. */
export interface ZooModel {
  readonly model: ModelSpec;
  /** The recipe of a run that names none: the first of `recipes`. */
  readonly recipe: Recipe;
  /**
   * By name: `author`, what the network's document says; `ours`, where it says nothing or another reaches its claim
   * sooner; `sprint`, what `lockstep speedrun` runs.
   */
  readonly recipes: Readonly<Record<string, Recipe>>;
  /** What the network's author promises, one line. */
  readonly claim: string;
}

/** 28x28 grey images of handwritten digits in ten classes: what every model of the zoo reads. */
export const MNIST = { input: { channels: 1, height: 28, width: 28 }, classes: 10 } as const;

/** A layer as the zoo's files write it. */
export type LayerInput = ModelSpecInput['layers'][number];

/** Fills in every default of a model and its recipes, the one for runs that name none first. */
export function defineZooModel(
  model: ModelSpecInput,
  recipes: Readonly<Record<string, RecipeInput>>,
  claim: string,
): ZooModel {
  const parsed = Object.entries(recipes).map(([name, recipe]) => [name, recipeSchema.parse(recipe)] as const);
  const [first] = parsed;
  if (first === undefined) throw new Error(`${model.name} has no recipe`);
  return {
    model: parseModelSpec(model, `zoo model ${model.name}`),
    recipe: first[1],
    recipes: Object.fromEntries(parsed),
    claim,
  };
}
