/** Finds the model that a person names: one of the zoo, or a JSON file. */
import { LockstepError } from '../errors/errors.js';
import { findJsonPlace } from '../files/json-place.js';
import { parseJson } from '../files/json-text.js';
import { readText } from '../files/text-file.js';
import { inferLayers } from '../model/layers.js';
import type { ModelSpec } from '../spec/model-spec.js';
import type { Recipe } from '../spec/recipe.js';
import { type Locate, readModelSpec, readRecipe } from './spec-fault.js';
import { findZooModel, namedModels } from './zoo.js';

/** A model that fits together (its shapes are checked), with the recipe to train it. */
export interface LoadedModel {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  /** Where it came from: `zoo` or the path. */
  readonly source: string;
}

/**
 * Loads a model by its zoo name or from a JSON file `{ ...model spec, recipe?: {...} }`; what the recipe leaves out
 * gets the recipe's defaults. A name that is neither in the zoo nor looks like a path is an unknown model.
 *
 * @throws LockstepError LOCKSTEP_MODEL_UNKNOWN, LOCKSTEP_MODEL_FILE (cannot be read), LOCKSTEP_MODEL_JSON (with line
 *   and column), LOCKSTEP_MODEL_SPEC, LOCKSTEP_MODEL_SHAPE, LOCKSTEP_RECIPE
 */
export function loadModelSpec(nameOrPath: string): LoadedModel {
  const isInZoo = namedModels.some((entry) => entry.model.name === nameOrPath);
  if (isInZoo || !looksLikePath(nameOrPath)) {
    const { model, recipe } = findZooModel(nameOrPath);
    return { model, recipe, source: 'zoo' };
  }
  return parseModelFile(readModelText(nameOrPath), nameOrPath);
}

const looksLikePath = (text: string): boolean => /[/\\]/.test(text) || /\.json$/i.test(text);

function readModelText(path: string): string {
  try {
    return readText(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file',
      EISDIR: 'it is a folder',
      EACCES: 'permission denied',
    };
    const reason = reasons[code ?? ''] ?? message;
    const names = namedModels.map((entry) => entry.model.name).join(', ');
    throw new LockstepError(
      'LOCKSTEP_MODEL_FILE',
      `cannot read the model ${path}: ${reason}. Give a path to a JSON file with a model, or one of ${names}.`,
      { cause: error },
    );
  }
}

function parseModelFile(text: string, path: string): LoadedModel {
  const parsed = parseJson(text);
  if ('fault' in parsed) {
    const { line, column, text: reason } = parsed.fault;
    throw new LockstepError('LOCKSTEP_MODEL_JSON', `${path} is not JSON: line ${line}, column ${column}: ${reason}.`);
  }
  if (!isObject(parsed.value)) {
    throw new LockstepError(
      'LOCKSTEP_MODEL_SPEC',
      `${path}: expected an object { "name", "input", "classes", "layers" } at the top of the file.`,
    );
  }
  const { recipe, ...spec } = parsed.value;
  const locate: Locate = (place) => `${path}:${findJsonPlace(text, place).line}`;
  const model = readModelSpec(spec, locate);
  inferLayers(model);
  return { model, recipe: readRecipe(recipe ?? {}, locate), source: path };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
