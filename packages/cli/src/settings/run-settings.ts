/** From flags and config file to a checked plan of a run. Nothing is started or written here. */
import { basename, dirname, join, resolve } from 'node:path';
import { LockstepError } from '@lockstep/core/errors';
import type { MetricName } from '@lockstep/core/events';
import { inferLayers, parameterCount } from '@lockstep/core/model';
import { planFreeze } from '@lockstep/core/run';
import { type CheckpointPolicy, type EngineName, intervalSchema, type RunFields } from '@lockstep/core/seams';
import { type ModelSpec, type Recipe, recipeSchema } from '@lockstep/core/spec';
import {
  type FoundCheckpoint,
  findCheckpoint,
  hasCheckpointName,
  listCheckpoints,
  replaceHead,
} from '@lockstep/core/state';
import { findRecipe, loadModelSpec, namedModels, readModelSpec } from '@lockstep/core/zoo';
import { RUNS_FOLDER } from '@lockstep/watch/files';
import { type ClusterSettings, resolveCluster } from '../fields/cluster-fields.js';
import { DEFAULT_MODEL, DEFAULT_SEED } from '../fields/common-fields.js';
import { type DashboardSettings, resolveDashboard } from '../fields/dashboard-field.js';
import { type DataForm, readDataForm } from '../fields/data-fields.js';
import { type Endpoint, parseEndpoint } from '../fields/endpoint.js';
import { flagName, offlineField, optionError } from '../fields/field.js';
import { recipeFields } from '../fields/recipe-fields.js';
import { runFields } from '../fields/run-fields.js';
import { resolveWatch, type WatchSettings } from '../fields/watch-fields.js';
import { noteWeightsName } from '../fields/weights-path.js';
import type { Io } from '../terminal/io.js';
import { findNamedWeights } from './named-weights.js';
import { resolveRecipe } from './recipe-settings.js';
import { type AgainSettings, leaveBeginning, noteAgain, resolveAgain } from './run-again.js';
import { findSource, getPath, readConfig, readFlags, type SettingSource } from './setting-source.js';
import { noteNothingLeft } from './steps-left.js';
import { findConflict } from './together.js';
import { readModelOfWeights } from './weights-file.js';

/** The fields of a run that are as flags and config file give them. */
type Given = Pick<
  RunFields,
  | 'seed'
  | 'workers'
  | 'engine'
  | 'kernels'
  | 'steps'
  | 'until'
  | 'patience'
  | 'best'
  | 'evaluate'
  | 'checkpoints'
  | 'override'
  | 'preemptible'
  | 'validation'
  | 'weights'
>;

/** Everything that a run is asked to do; each field is there, so that none is forgotten on the way. */
export interface RunSettings extends Required<Given> {
  readonly model: ModelSpec;
  /** Number of learned values. */
  readonly parameters: number;
  readonly recipe: Recipe;
  readonly data: string | undefined;
  /** How to read the data. */
  readonly dataForm: DataForm;
  /** How other machines take part. */
  readonly cluster: ClusterSettings | undefined;
  /** The checkpoint to go on from. */
  readonly resume: FoundCheckpoint | undefined;
  /** The run that is run again, by its run.json. */
  readonly again: AgainSettings | undefined;
  /** Whether the same command, given again, goes on with it. */
  readonly continues: boolean | undefined;
  /** Where to answer probes. */
  readonly health: Endpoint | undefined;
  /** Whether the weights are taken by name, and the head is new. */
  readonly hasNewHead: boolean | undefined;
  /** The file that the weights are to be written to, if one is named. */
  readonly save: string | undefined;
  /** The folder that the run makes for itself, unless that name is taken; undefined where it has none, or that of `watch.out`. */
  readonly runFolder: string | undefined;
  /** The folder that --out names, also in a dry run. */
  readonly outFolder: string | undefined;
  /** Whether the folder of the run gets the weights too. */
  readonly keepsWeights: boolean;
  /** Where to write the moving average of the weights. */
  readonly saveEma: string | undefined;
  /** Where the live page is. */
  readonly dashboard: DashboardSettings | undefined;
  readonly plot: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  /** What watches the run; nothing in a dry run. */
  readonly watch: WatchSettings;
  readonly dryRun: boolean;
  /** Whether the config file says so; the flag has done it already. */
  readonly offline: boolean | undefined;
  readonly notices: readonly string[];
}

/**
 * Resolves a run: flags before the config file before the model's own recipe and the defaults.
 *
 * @param modelName MODEL of the command line
 * @param options commander's
 * @param env for the token
 * @throws LockstepError for anything that is wrong with them
 */
export async function resolveRun(
  modelName: string | undefined,
  options: Readonly<Record<string, unknown>>,
  coreCount: number,
  env: Io['env'] = {},
): Promise<RunSettings> {
  const flags = readFlags([...runFields, ...recipeFields], options);
  const sources = leaveBeginning([flags, ...(await readConfig(options['config']))]);
  for (const field of [...runFields, offlineField]) checkField(field, sources);
  const given = (name: string): unknown => getPath(findSource(sources, [name])?.values, [name]);
  const conflict = findConflict(given, nameFlag);
  if (conflict !== undefined) throw optionError(conflict);
  const named: string[] = [];
  const get = withWeights(continues(given) ? goOn(given) : given, (note) => named.push(note));
  const resume = typeof get('resume') === 'string' ? findCheckpoint(get('resume') as string) : undefined;
  const { model, recipe: own } = loadModel(modelName, sources, resume, get);
  const { recipe, notices } = resolveRecipe(own, sources);
  const again = resume === undefined ? resolveAgain(sources) : undefined;
  const known = resume?.checkpoint.info.dataset ?? again?.dataset;
  planFreeze(inferLayers(model), recipe.freeze);
  if (get('saveEma') !== undefined && recipe.ema === undefined) throw optionError('--save-ema needs --ema as well');
  const seed = (get('seed') as number | undefined) ?? resume?.checkpoint.info.seed ?? DEFAULT_SEED;
  const dryRun = get('dryRun') === true;
  const save = get('save');
  const watch = resolveWatch(dryRun ? () => undefined : get);
  const hasOwnFolder = save === undefined && watch.out === undefined;
  const ownName = `${model.name.replace(/[^\w.-]+/g, '-')}-seed${seed}`;
  const outFolder = get('out') as string | undefined;
  const ownFolder = outFolder ?? join(RUNS_FOLDER, ownName);
  return {
    model,
    parameters: parameterCount(inferLayers(model)),
    recipe,
    seed,
    workers: (get('workers') as number | undefined) ?? coreCount,
    engine: (get('engine') as EngineName | undefined) ?? 'native',
    kernels: get('kernels') as RunSettings['kernels'],
    data: get('data') as string | undefined,
    dataForm: readDataForm(get),
    steps: dryRun ? (resume?.checkpoint.info.step ?? 0) + 1 : (get('steps') as number | undefined),
    until: get('until') as number | undefined,
    patience: get('patience') as number | undefined,
    best: get('best') as MetricName | undefined,
    evaluate: get('evaluate') as RunSettings['evaluate'],
    cluster: resolveCluster(get, env),
    checkpoints: dryRun ? undefined : resolveCheckpoints(get, resume),
    resume,
    again,
    health: get('health') === undefined ? undefined : parseEndpoint(get('health') as string, '--health'),
    continues: get('continue') === true ? true : undefined,
    preemptible: get('preemptible') === true ? true : undefined,
    override: get('override') === true ? true : undefined,
    validation: (get('validation') as number | undefined) ?? known?.validationSamples ?? 0,
    weights: get('weights') as string | undefined,
    hasNewHead: get('replaceHead') === undefined || resume !== undefined ? undefined : true,
    save: typeof save === 'string' ? save : undefined,
    outFolder,
    runFolder: hasOwnFolder ? ownFolder : undefined,
    keepsWeights: save !== false,
    saveEma: get('saveEma') as string | undefined,
    dashboard: dryRun ? undefined : resolveDashboard(get),
    plot: get('plot') === true,
    json: get('json') === true,
    quiet: get('quiet') === true,
    watch,
    dryRun,
    offline: get('offline') === true ? true : undefined,
    notices: [
      ...[...named, ...notices, ...(again ? noteAgain(again) : []), ...noteNames([save, get('saveEma')])],
      ...(dryRun ? [] : noteNothingLeft(recipe, resume, get('steps'))),
    ],
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

const noteNames = (files: readonly unknown[]): string[] =>
  files.flatMap((file) => (typeof file === 'string' ? (noteWeightsName(file) ?? []) : []));

type Get = (name: string) => unknown;

const nameFlag = (name: string): string => flagName(runFields.find(({ path }) => path[0] === name) ?? { flags: name });

/** With --continue, from the second start on there is a checkpoint. */
const continues = (given: Get): boolean =>
  given('continue') === true && listCheckpoints(given('checkpoint') as string).length > 0;

/** The fields of the first start as --resume would have them: what a run has learned comes from its checkpoint. */
const goOn =
  (given: Get): Get =>
  (name) =>
    name === 'resume' ? given('checkpoint') : name === 'weights' ? undefined : given(name);

/** The folder of a run stands for its best weights. */
const withWeights = (get: Get, tell: (note: string) => void): Get => {
  const weights = get('weights');
  const found = typeof weights === 'string' ? findNamedWeights(weights, tell) : weights;
  return (name) => (name === 'weights' ? found : get(name));
};

/** A resumed run goes on writing into the folder that its checkpoint lies in, unless it is told otherwise. */
function resolveCheckpoints(get: Get, resume: FoundCheckpoint | undefined): CheckpointPolicy | undefined {
  const folder = get('checkpoint') ?? (resume && folderOf(resume));
  if (typeof folder !== 'string') return undefined;
  return {
    folder,
    every: get('every') === undefined ? undefined : intervalSchema.parse(get('every')),
    keep: get('keep') as number | undefined,
    best: get('best') as MetricName | undefined,
  };
}

function folderOf({ path }: FoundCheckpoint): string {
  // one that was copied elsewhere under another name is in no folder of checkpoints
  if (hasCheckpointName(basename(path))) return dirname(path);
  if (hasCheckpointName(basename(resolve(path)))) return dirname(resolve(path));
  throw optionError(
    `--resume ${path} lies in no folder of checkpoints; name one with --checkpoint DIR, or --no-checkpoint`,
  );
}

interface NamedModel {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
}

/** The model of the command line or the config file, else the checkpoint's or the one that the weights carry. */
function loadModel(
  name: string | undefined,
  sources: readonly SettingSource[],
  resume: FoundCheckpoint | undefined,
  get: Get,
): NamedModel {
  const isNamed = name !== undefined || findSource(sources, ['model']) !== undefined;
  const classes = get('replaceHead') as number | undefined;
  if (resume !== undefined) {
    const { model, recipe } = resume.checkpoint.info;
    return { model: isNamed ? withHead(loadNamed(name, sources), classes).model : model, recipe };
  }
  const weights = get('weights');
  const named = (!isNamed && typeof weights === 'string' && loadCarried(weights)) || loadNamed(name, sources);
  const recipeName = get('recipeName') as string | undefined;
  const recipe = recipeName === undefined ? named.recipe : findNamedRecipe(named.model, recipeName);
  return { ...withHead(named, classes), recipe };
}

function findNamedRecipe({ name }: ModelSpec, recipeName: string): Recipe {
  const entry = namedModels.find(({ model }) => model.name === name);
  if (entry === undefined) {
    throw optionError(`--recipe names a recipe of a model of the zoo, and ${name} is none; see \`lockstep models\``);
  }
  return findRecipe(entry, recipeName);
}

function withHead(named: NamedModel, classes: number | undefined): NamedModel {
  return classes === undefined ? named : { ...named, model: replaceHead(named.model, classes) };
}

/** The model in a weights file, with the zoo's recipe for it; undefined when it carries none. */
function loadCarried(path: string): NamedModel | undefined {
  try {
    const model = readModelOfWeights(path);
    const recipe = namedModels.find((entry) => entry.model.name === model.name)?.recipe;
    return { model, recipe: recipe ?? recipeSchema.parse({}) };
  } catch (error) {
    // What is wrong with the file is told when it is loaded.
    if (error instanceof LockstepError && error.code.startsWith('LOCKSTEP_WEIGHTS')) return undefined;
    throw error;
  }
}

/** The model by name or path, or written out under `model` in the config file. */
function loadNamed(name: string | undefined, sources: readonly SettingSource[]): NamedModel {
  if (name !== undefined) return loadModelSpec(name);
  const source = findSource(sources, ['model']);
  const value = getPath(source?.values, ['model']);
  if (value === undefined || typeof value === 'string') return loadModelSpec(value ?? DEFAULT_MODEL);
  const model = readModelSpec(value, (path) => source?.locate?.(['model', ...path]) ?? 'model');
  inferLayers(model);
  return { model, recipe: recipeSchema.parse({}) };
}
