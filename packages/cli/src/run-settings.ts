/** From flags and config file to a checked plan of a run. Nothing is started or written here. */
import {
  inferLayers,
  LockstepError,
  loadModelSpec,
  type ModelSpec,
  parameterCount,
  parseModelSpec,
  type Recipe,
  recipeSchema,
} from '@lockstep/core';
import { readConfigFile } from './config-file.js';
import { type DataForm, readDataForm } from './data-fields.js';
import { DEFAULT_MODEL, DEFAULT_SEED, recipeFields, runFields } from './options.js';
import { resolveRecipe } from './recipe-settings.js';
import { configSource, findSource, getPath, readFlags, type SettingSource } from './setting-source.js';

/** Everything that a run is asked to do. */
export interface RunSettings {
  readonly model: ModelSpec;
  /** Number of learned values. */
  readonly parameters: number;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly workers: number;
  readonly engine: 'native';
  readonly data: string | undefined;
  /** How to read the data. */
  readonly dataForm: DataForm;
  readonly steps: number | undefined;
  readonly until: number | undefined;
  /** Training images to hold out. */
  readonly validation: number;
  /** Weights to start from. */
  readonly weights: string | undefined;
  /** Where to write the weights; undefined to write none. */
  readonly save: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly dryRun: boolean;
  readonly notices: readonly string[];
}

/**
 * Resolves a run: flags before the config file before the model's own recipe and the defaults.
 *
 * @param modelName MODEL of the command line
 * @param options commander's
 * @throws LockstepError for anything that is wrong with them
 */
export function resolveRun(
  modelName: string | undefined,
  options: Readonly<Record<string, unknown>>,
  coreCount: number,
): RunSettings {
  const sources = [readFlags([...runFields, ...recipeFields], options)];
  if (typeof options['config'] === 'string') sources.push(configSource(readConfigFile(options['config'])));
  for (const field of runFields) checkField(field, sources);
  const { model, recipe: own } = loadModel(modelName, sources);
  const { recipe, notices } = resolveRecipe(own, sources);
  const get = (name: string): unknown => getPath(findSource(sources, [name])?.values, [name]);
  const seed = (get('seed') as number | undefined) ?? DEFAULT_SEED;
  const dryRun = get('dryRun') === true;
  const save = get('save') ?? `runs/${model.name}-seed${seed}.safetensors`;
  return {
    model,
    parameters: parameterCount(inferLayers(model)),
    recipe,
    seed,
    workers: (get('workers') as number | undefined) ?? coreCount,
    engine: 'native',
    data: get('data') as string | undefined,
    dataForm: readDataForm(get),
    steps: dryRun ? 1 : (get('steps') as number | undefined),
    until: get('until') as number | undefined,
    validation: (get('validation') as number | undefined) ?? 0,
    weights: get('weights') as string | undefined,
    save: typeof save === 'string' ? save : undefined,
    json: get('json') === true,
    quiet: get('quiet') === true,
    dryRun,
    notices,
  };
}

function checkField(field: (typeof runFields)[number], sources: readonly SettingSource[]): void {
  const source = findSource(sources, field.path);
  if (source === undefined || field.check === undefined) return;
  const allowed = field.check(getPath(source.values, field.path));
  if (allowed !== undefined) {
    const isFlag = source === sources[0];
    throw new LockstepError(
      isFlag ? 'LOCKSTEP_CLI_OPTION' : 'LOCKSTEP_CONFIG',
      `${source.describe(field.path)}: ${allowed}`,
    );
  }
}

/** The model by name or path, or written out under `model` in the config file. */
function loadModel(
  name: string | undefined,
  sources: readonly SettingSource[],
): { readonly model: ModelSpec; readonly recipe: Recipe } {
  if (name !== undefined) return loadModelSpec(name);
  const source = findSource(sources, ['model']);
  const value = getPath(source?.values, ['model']);
  if (value === undefined || typeof value === 'string') return loadModelSpec(value ?? DEFAULT_MODEL);
  const model = parseModelSpec(value, source?.describe(['model']));
  inferLayers(model);
  return { model, recipe: recipeSchema.parse({}) };
}
