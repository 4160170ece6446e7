/** From a model's own recipe to the recipe of a run: flags over config file over model. */

import { didYouMean, LockstepError, suggestOption } from '@lockstep/core/errors';
import { isRecord } from '@lockstep/core/files';
import { augmentationSchema, optimizerSchema, type Recipe, recipeSchema, scheduleSchema } from '@lockstep/core/spec';
import { countOf } from '@lockstep/core/text';
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

/** The parts of zod's issues that are read here. */
interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  readonly options?: readonly unknown[];
  readonly values?: readonly unknown[];
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly inclusive?: boolean;
  readonly divisor?: number;
  readonly origin?: string;
  readonly expected?: string;
}

function explainIssue(issue: Issue, merged: unknown, sources: readonly SettingSource[]): LockstepError {
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, String(issue.keys?.[0])] : issue.path;
  const fullPath = ['recipe', ...path];
  const value = getPath(merged, path);
  const source = findSource(sources, fullPath);
  if (source !== undefined) {
    const allowed =
      issue.code === 'unrecognized_keys' ? describeUnknown(path, merged, source) : describeAllowed(issue, value);
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
  const takes = listNames(parent, type);
  if (type === undefined) return `unknown field${suggestOption(name, takes)}`;
  const written = takes.map((field) => source.nameOf(['recipe', ...parent, field]));
  return `the ${String(parent[0])} is ${String(type)}, which ${written.length > 0 ? `takes ${written.join(', ')}` : 'takes no such setting'}`;
}

function listNames(parent: readonly PropertyKey[], type: unknown): string[] {
  const options = [...optimizerSchema.options, ...scheduleSchema.options];
  const shape = options.find((option) => option.shape.type.value === type)?.shape;
  if (shape !== undefined) return Object.keys(shape).filter((name) => name !== 'type');
  if (parent[0] !== 'augmentation') return Object.keys(recipeSchema.shape);
  const { centerCrop } = augmentationSchema.shape;
  return Object.keys((parent[1] === 'centerCrop' ? centerCrop.unwrap() : augmentationSchema).shape);
}

function describeAllowed(issue: Issue, value: unknown): string {
  const choices = issue.options ?? issue.values;
  if (choices !== undefined) {
    const names = choices.map(String);
    const nearest = typeof value === 'string' ? didYouMean(value, names) : '';
    return `must be ${names.length > 1 ? 'one of ' : ''}${names.join(', ')}${nearest}`;
  }
  switch (issue.code) {
    case 'too_small':
      if (issue.origin === 'array') return `must be ${countOf(Number(issue.minimum), 'number')}`;
      return `must be ${issue.inclusive ? 'at least' : 'above'} ${issue.minimum}`;
    case 'too_big':
      if (issue.origin === 'array') return `must be ${countOf(Number(issue.maximum), 'number')}`;
      return `must be ${issue.inclusive ? 'at most' : 'below'} ${issue.maximum}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_type':
      return `must be ${TYPE_NAMES[issue.expected ?? ''] ?? issue.expected}`;
    default:
      return issue.message;
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a finite number',
  boolean: 'true or false',
  object: 'fields under this name',
  array: 'a list of numbers',
  tuple: 'a list of numbers',
};
