/** A run in a file, `--config run.yaml`: the same fields as the flags, with line numbers for errors; or a run.json. */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { LockstepError, suggestOption } from '@lockstep/core/errors';
import { isRecord, readText } from '@lockstep/core/files';
import { recipeSchema } from '@lockstep/core/spec';
import { findRun, LATEST, OUT_FORMAT, outFiles, type RunAgain, readRunAgain } from '@lockstep/watch/files';
import { offlineField } from '../fields/field.js';
import { runFields } from '../fields/run-fields.js';
import { configError, readSettingsText } from './settings-text.js';

export interface ConfigFile {
  readonly path: string;
  /** Fields by name, `model` and `recipe` among them; paths in them are relative to the folder of this process. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Of the run.json of a run, which is to be run again. */
  readonly again?: RunAgain | undefined;
  /** `run.yaml:7`, where a field is set; the nearest enclosing field when it is not. */
  locate(path: readonly PropertyKey[]): string;
}

const PATH_FIELDS = [
  ...['data', 'weights', 'save', 'model', 'checkpoint', 'resume', 'saveEma'],
  ...['out', 'trace', 'logFile', 'tensorboard', 'tokenFile', 'tlsCert', 'tlsKey'],
];
const RECIPE_NAMES = Object.keys(recipeSchema.shape);
const FIELD_NAMES = [
  'model',
  'recipe',
  ...new Set([...runFields, offlineField].map((field) => field.path[0] as string)),
  ...RECIPE_NAMES,
];

/**
 * Reads a config file. Fields of the recipe may stand under `recipe` or beside the others; relative paths are meant
 * from the file's own folder. A run.json, the folder of a run, and `latest` stand for that run.
 *
 * @throws LockstepError LOCKSTEP_CONFIG with file and line
 */
export function readConfigFile(named: string): ConfigFile {
  const path = findFile(named);
  const { values, locate } = readSettingsText(readConfigText(path), path);
  if (values === null) return { path, values: {}, locate };
  if (!isRecord(values)) throw configError(`${path}:1: expected fields such as "epochs: 3", got ${describe(values)}`);
  if (typeof values['format'] === 'number') return { path, ...readRun(values, locate), locate };
  checkNames(values, locate);
  return {
    path,
    values: resolvePaths(gatherRecipe(values, locate), dirname(path)),
    locate: locateMoved(values, locate),
  };
}

/** The folder of a run stands for the run.json in it. */
function findFile(named: string): string {
  const path = findRun(named, (reason) => readError(named, reason));
  const run = join(path, outFiles.run);
  return existsSync(run) ? run : path;
}

/** What a run.json says of model, recipe and the rest, in the fields of a config file; how many threads there were is left out. */
function readRun(values: Record<string, unknown>, locate: ConfigFile['locate']) {
  if (values['format'] !== OUT_FORMAT) {
    throw configError(
      `${locate(['format'])}: format ${values['format']} is of another release; this one reads ${OUT_FORMAT}`,
    );
  }
  const read = readRunAgain(values);
  if ('issue' in read) {
    const { path, message } = read.issue;
    throw configError(`${locate(path)}: the ${outFiles.run} of a run: ${path.join('.')}: ${message}`);
  }
  const {
    engine,
    beginning: { weights },
  } = read.run;
  const { model, recipe, seed, steps, until, patience, best, evaluate } = values;
  const classes = isRecord(model) && weights?.hasNewHead ? { replaceHead: model['classes'] } : {};
  const fields = {
    model,
    recipe,
    seed,
    engine,
    steps,
    until,
    patience,
    best,
    evaluate,
    weights: weights?.path,
    ...classes,
  };
  return { values: fields, again: read.run };
}

const readError = (path: string, reason: string, cause?: unknown): LockstepError =>
  new LockstepError('LOCKSTEP_CONFIG', `cannot read --config ${path}: ${reason}`, { cause });

const describe = (value: unknown): string => (Array.isArray(value) ? 'a list' : JSON.stringify(value));

function readConfigText(path: string): string {
  try {
    return readText(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : message;
    throw readError(path, reason, error);
  }
}

function checkNames(values: Record<string, unknown>, locate: ConfigFile['locate']): void {
  for (const name of Object.keys(values)) {
    if (FIELD_NAMES.includes(name)) continue;
    throw configError(`${locate([name])}: unknown field "${name}"${suggestOption(name, FIELD_NAMES)}`);
  }
}

/** Moves the recipe's fields that stand beside the others into `recipe`; `optimizer: adamw` names its type alone. */
function gatherRecipe(values: Record<string, unknown>, locate: ConfigFile['locate']): Record<string, unknown> {
  const { recipe = {}, ...others } = values;
  if (!isRecord(recipe)) throw configError(`${locate(['recipe'])}: recipe must hold fields such as epochs`);
  const gathered: Record<string, unknown> = { ...recipe };
  for (const name of RECIPE_NAMES.filter((name) => name in others)) {
    if (name in recipe) throw configError(`${locate([name])}: ${name} is given twice, here and under recipe`);
    gathered[name] = others[name];
    delete others[name];
  }
  for (const name of ['optimizer', 'schedule']) {
    if (typeof gathered[name] === 'string') gathered[name] = { type: gathered[name] };
  }
  return { ...others, recipe: gathered };
}

/** Finds `recipe.epochs` also where it stands as `epochs`. */
const locateMoved =
  (values: Record<string, unknown>, locate: ConfigFile['locate']): ConfigFile['locate'] =>
  (path) =>
    locate(
      path[0] === 'recipe' && path.length > 1 && Object.hasOwn(values, path[1] as PropertyKey) ? path.slice(1) : path,
    );

function resolvePaths(values: Record<string, unknown>, folder: string): Record<string, unknown> {
  const resolved = { ...values };
  for (const name of PATH_FIELDS) {
    const value = values[name];
    if (typeof value !== 'string' || value === '' || isAbsolute(value)) continue;
    if (name === 'weights' && value === LATEST) continue;
    if (name !== 'model' || /[/\\]|\.json$/i.test(value)) resolved[name] = join(folder, value);
  }
  return resolved;
}
