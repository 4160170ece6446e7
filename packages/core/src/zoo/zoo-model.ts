/** What a zoo entry holds, and how the files of this folder are turned into one. */
import { type ModelSpec, type ModelSpecInput, parseModelSpec } from '../model-spec.js';
import { type Recipe, type RecipeInput, recipeSchema } from '../recipe.js';

/** A network of the zoo with the recipe that reaches its claim. */
export interface ZooModel {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  /** What the network's author promises, one line. */
  readonly claim: string;
}

/** 28x28 grey images of handwritten digits in ten classes: what every model of the zoo reads. */
export const MNIST = { input: { channels: 1, height: 28, width: 28 }, classes: 10 } as const;

/** A layer as the zoo's files write it. */
export type LayerInput = ModelSpecInput['layers'][number];

/** Fills in every default of a model and its recipe. */
export const defineZooModel = (model: ModelSpecInput, recipe: RecipeInput, claim: string): ZooModel => ({
  model: parseModelSpec(model, `zoo model ${model.name}`),
  recipe: recipeSchema.parse(recipe),
  claim,
});
