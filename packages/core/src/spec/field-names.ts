/** The names of a recipe's fields. */
import { augmentationSchema, optimizerSchema, recipeSchema, scheduleSchema } from './recipe.js';

/**
 * Those beside one another.
 *
 * @param parent where they stand: empty, or `optimizer`, `schedule`, `augmentation`, `augmentation` and `centerCrop`
 * @param type of the optimizer or schedule
 */
export function listRecipeFields(parent: readonly PropertyKey[], type: unknown): string[] {
  const options = [...optimizerSchema.options, ...scheduleSchema.options];
  const shape = options.find((option) => option.shape.type.value === type)?.shape;
  if (shape !== undefined) return Object.keys(shape).filter((name) => name !== 'type');
  if (parent[0] !== 'augmentation') return Object.keys(recipeSchema.shape);
  const { centerCrop } = augmentationSchema.shape;
  return Object.keys((parent[1] === 'centerCrop' ? centerCrop.unwrap() : augmentationSchema).shape);
}
