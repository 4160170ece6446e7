/** What is wrong with a model or a recipe in a file: the line, the layer, the field, what is allowed and what is near. */
import { describeSetting } from '../errors/checks.js';
import { LockstepError } from '../errors/errors.js';
import { didYouMean } from '../errors/nearest.js';
import { listRecipeFields } from '../spec/field-names.js';
import { layerSpecSchema, type ModelSpec, modelSpecSchema } from '../spec/model-spec.js';
import { type Recipe, recipeSchema } from '../spec/recipe.js';
import { describeIssue, describeUnknownField, type FieldPlace, type Issue } from '../text/issue-text.js';

/** Where a path stands in what was read: `my.json:7`. */
export type Locate = (path: readonly PropertyKey[]) => string;

/**
 * The model that somebody wrote, with its defaults filled in. Shapes are checked by `inferLayers`.
 *
 * @throws LockstepError LOCKSTEP_MODEL_SPEC
 */
export function readModelSpec(value: unknown, locate: Locate): ModelSpec {
  const result = modelSpecSchema.safeParse(value);
  if (result.success) return result.data;
  throw new LockstepError('LOCKSTEP_MODEL_SPEC', describeFault(result.error.issues, value, locate, placeInModel));
}

/**
 * The recipe that somebody wrote beside a model.
 *
 * @param locate takes paths that begin with `recipe`
 * @throws LockstepError LOCKSTEP_RECIPE
 */
export function readRecipe(value: unknown, locate: Locate): Recipe {
  const result = recipeSchema.safeParse(value);
  if (result.success) return result.data;
  const inRecipe: Locate = (path) => locate(['recipe', ...path]);
  throw new LockstepError('LOCKSTEP_RECIPE', describeFault(result.error.issues, value, inRecipe, placeInRecipe));
}

/** What stands around a field: its words, and the fields there. */
interface Around extends FieldPlace {
  /** `layer 2 (conv): `. */
  readonly where: string;
  /** Names before that of the field: `recipe.optimizer`. */
  readonly within: readonly PropertyKey[];
}

function describeFault(
  issues: readonly Issue[],
  value: unknown,
  locate: Locate,
  look: (parent: readonly PropertyKey[], value: unknown) => Around,
): string {
  // a field that nobody knows is why another one is missing
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? (issues[0] as Issue);
  const unknown = issue.code === 'unrecognized_keys' ? String(issue.keys?.[0]) : undefined;
  const path = unknown === undefined ? issue.path : [...issue.path, unknown];
  const [name, parent] = [path.at(-1), path.slice(0, -1)];
  const { where, within, ...place } = look(parent, value);
  const at = `${locate(path)}: ${where}`;
  if (unknown !== undefined) return `${at}${[...within, unknown].join('.')}: ${describeUnknownField(unknown, place)}`;
  const own = getPath(value, path);
  if (issue.path.length === 0) return `${at}expected fields such as name, input, classes and layers`;
  if (own === undefined) return `${at}needs ${[...within, name].join('.')} as well`;
  if (issue.discriminator !== undefined) {
    const names = issue.options?.map(String) ?? place.takes;
    return `${at}there is no ${String(own)}${didYouMean(String(own), names) || '.'} There are ${names.join(', ')}`;
  }
  return `${at}${describeSetting([...within, name as PropertyKey], own)}: ${describeIssue(issue, own)}`;
}

const getPath = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((within, name) => Object(within)[name], value);

function placeInModel(parent: readonly PropertyKey[], value: unknown): Around {
  if (parent[0] !== 'layers' || typeof parent[1] !== 'number') {
    const { shape } = modelSpecSchema;
    return { where: '', within: parent, takes: Object.keys(parent[0] === 'input' ? shape.input.shape : shape) };
  }
  const type: unknown = Object(getPath(value, parent.slice(0, 2)))['type'];
  const known = layerSpecSchema.options.find((option) => option.shape.type.value === type)?.shape;
  const layer = `layer ${parent[1] + 1}`;
  // layers are counted from 1 as in summaries
  if (known === undefined) return { where: `${layer}: `, within: parent.slice(2), takes: LAYER_TYPES };
  const takes = Object.keys(known).filter((name) => name !== 'type');
  return { where: `${layer} (${type}): `, within: parent.slice(2), takes, of: `it is a ${type} layer` };
}

const LAYER_TYPES = layerSpecSchema.options.map((option) => option.shape.type.value);

function placeInRecipe(parent: readonly PropertyKey[], value: unknown): Around {
  const within = ['recipe', ...parent];
  const type: unknown = Object(getPath(value, parent))['type'];
  const takes = listRecipeFields(parent, type);
  return type === undefined
    ? { where: '', within, takes }
    : { where: '', within, takes, of: `the ${String(parent[0])} is ${String(type)}` };
}
