/** From a model's own recipe to the recipe of a run: flags over config file over model. */

import { LockstepError } from '@lockstep/core/errors';
import { isRecord } from '@lockstep/core/files';
import { listRecipeFields, type Recipe, recipeSchema } from '@lockstep/core/spec';
import { describeIssue, describeUnknownField, type Issue } from '@lockstep/core/text';
import { findSource, getPath, type SettingSource } from './setting-source.js';

export interface ResolvedRecipe {
  readonly recipe: Recipe;
  /** What a person should know about the result. */
  readonly notices: readonly string[];
}

/**
 * Lays the sources' recipes over the model's. An optimizer or schedule of another type starts from its own defaults.
 *
 * @param sources first before later
 * @throws LockstepError LOCKSTEP_RECIPE naming the flag or line, the value and what is allowed
 */
export function resolveRecipe(own: Recipe, sources: readonly SettingSource[]): ResolvedRecipe {
  let merged: Record<string, unknown> = { ...own };
  for (const source of sources.toReversed()) merged = mergeRecipe(merged, source.values['recipe']);
  const result = recipeSchema.safeParse(merged);
  if (!result.success) throw explainIssue(result.error.issues[0] as Issue, merged, sources);
  return { recipe: result.data, notices: listNotices(own, result.data, sources) };
}

/** Lays the fields of a recipe over another's; an optimizer or schedule of another type replaces it whole. */
function mergeRecipe(base: Record<string, unknown>, layer: unknown): Record<string, unknown> {
  if (!isRecord(layer)) return base;
  const merged = { ...base };
  for (const [name, value] of Object.entries(layer)) {
    if (value === undefined) continue;
    const under = base[name];
    merged[name] = isRecord(value) && isRecord(under) && !isOtherType(value, under) ? { ...under, ...value } : value;
  }
  return merged;
}

const isOtherType = (value: Record<string, unknown>, under: Record<string, unknown>): boolean =>
  value['type'] !== undefined && value['type'] !== under['type'];

function listNotices(own: Recipe, recipe: Recipe, sources: readonly SettingSource[]): string[] {
  const isRateGiven = findSource(sources, ['recipe', 'learningRate']) !== undefined;
  if (recipe.optimizer.type === own.optimizer.type || isRateGiven) return [];
  const { learningRate, optimizer } = recipe;
  return [
    `the learning rate stays ${learningRate}, chosen for ${own.optimizer.type}; ${optimizer.type} may need another (--learning-rate)`,
  ];
}

function explainIssue(issue: Issue, merged: unknown, sources: readonly SettingSource[]): LockstepError {
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, String(issue.keys?.[0])] : issue.path;
  const fullPath = ['recipe', ...path];
  const value = getPath(merged, path);
  const source = findSource(sources, fullPath);
  if (source !== undefined) {
    const allowed =
      issue.code === 'unrecognized_keys' ? describeUnknown(path, merged, source) : describeIssue(issue, value);
    return recipeError(`${source.describe(fullPath)}: ${allowed}`);
  }
  // Nothing sets the field: it is one that a type, or another field beside it, needs.
  const parent = path.slice(0, -1);
  const beside = ['type', ...Object.keys(Object(getPath(merged, parent)))].map((name) => ['recipe', ...parent, name]);
  for (const needing of beside) {
    const chooser = findSource(sources, needing);
    if (chooser) return recipeError(`${chooser.describe(needing)}: needs ${chooser.nameOf(fullPath)} as well`);
  }
  return recipeError(`${path.join('.')}: ${issue.message}`);
}

const recipeError = (text: string): LockstepError => new LockstepError('LOCKSTEP_RECIPE', text);

/** For a field that does not belong: `the optimizer adam has no momentum; it takes ...`. */
function describeUnknown(path: readonly PropertyKey[], merged: unknown, source: SettingSource): string {
  const parent = path.slice(0, -1);
  const name = String(path.at(-1));
  const type = getPath(merged, [...parent, 'type']);
  return describeUnknownField(name, {
    takes: listRecipeFields(parent, type),
    write: (field) => source.nameOf(['recipe', ...parent, field]),
    ...(type !== undefined && { of: `the ${String(parent[0])} is ${String(type)}` }),
  });
}
