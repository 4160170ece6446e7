/** Flags of the bench commands and what they come to. */
import { type EngineName, engineNames } from '@lockstep/core/seams';
import type { ModelSpec, Recipe } from '@lockstep/core/spec';
import { loadModelSpec, zooModels } from '@lockstep/core/zoo';
import { type Field, isOneOf, isText, isWholeNumber, optionError } from '../../settings/fields.js';
import { dataField, jsonField } from '../../settings/options.js';
import { getPath, readFlags } from '../../settings/setting-source.js';

const MOST_WORKERS = 1024;
const MOST_SECONDS = 3600;

export const modelsField: Field = {
  flags: '--models <names>',
  path: ['models'],
  group: 'Run',
  kind: 'text',
  description: 'names or .json files with commas between them',
  defaultText: 'the whole zoo',
  check: isText,
};

export const workersListField = (defaultText: string): Field => ({
  flags: '--workers <n,n>',
  path: ['workers'],
  group: 'Run',
  kind: 'numbers',
  description: 'numbers of workers to measure',
  defaultText,
  check: (value) =>
    (value as number[]).map(isWholeNumber(1, MOST_WORKERS)).find((allowed) => allowed !== undefined) ??
    (new Set(value as number[]).size < (value as number[]).length ? 'must not name a number twice' : undefined),
});

export const secondsField: Field = {
  flags: '--seconds <s>',
  path: ['seconds'],
  group: 'Run',
  kind: 'number',
  description: 'length of each measurement',
  defaultText: '0.5',
  check: (value) =>
    (value as number) > 0 && (value as number) <= MOST_SECONDS
      ? undefined
      : `must be above 0 and up to ${MOST_SECONDS}`,
};

export const repetitionsField: Field = {
  flags: '--repetitions <n>',
  path: ['repetitions'],
  group: 'Run',
  kind: 'number',
  description: 'measurements to take the median of',
  defaultText: '5',
  check: isWholeNumber(1, 1000),
};

export const engineField: Field = {
  flags: '--engine <name>',
  path: ['engine'],
  group: 'Run',
  kind: 'text',
  description: `what computes: ${engineNames.join(', ')}`,
  defaultText: engineNames[0],
  check: isOneOf(...engineNames),
};

export const enginesField: Field = {
  flags: '--engines <names>',
  path: ['engines'],
  group: 'Run',
  kind: 'text',
  description: `compare engines with each other and with tfjs's trainOnBatch: ${engineNames.join(',')}`,
  check: (value) =>
    String(value)
      .split(',')
      .map(isOneOf(...engineNames))
      .find((allowed) => allowed !== undefined),
};

export const pictureField: Field = {
  flags: '--picture <file>',
  path: ['picture'],
  group: 'Output',
  kind: 'text',
  description: 'draw the share of peak here (.svg)',
  check: isText,
};

export const outField: Field = {
  flags: '--out <file>',
  path: ['out'],
  group: 'Output',
  kind: 'text',
  description: 'write the calibration here (.json)',
  defaultText: 'calibration.json',
  check: isText,
};

export const commonFields: readonly Field[] = [dataField, jsonField];

export interface BenchSettings {
  readonly models: readonly { readonly model: ModelSpec; readonly recipe: Recipe }[];
  readonly workers: readonly number[];
  readonly engine: EngineName;
  /** To compare; undefined for the speed of one. */
  readonly engines: readonly EngineName[] | undefined;
  readonly seconds: number;
  readonly repetitions: number;
  readonly data: string | undefined;
  readonly picture: string | undefined;
  readonly json: boolean;
}

const DEFAULT_SECONDS = 0.5;
const DEFAULT_REPETITIONS = 5;

/**
 * Reads a bench command's flags.
 *
 * @param options commander's
 * @throws LockstepError for a flag or model that is wrong
 */
export function resolveBench(
  fields: readonly Field[],
  options: Readonly<Record<string, unknown>>,
  defaultWorkers: readonly number[],
): BenchSettings {
  const flags = readFlags(fields, options);
  for (const { path, check } of fields) {
    const value = getPath(flags.values, path);
    const allowed = value === undefined ? undefined : check?.(value);
    if (allowed !== undefined) throw optionError(`${flags.describe(path)}: ${allowed}`);
  }
  const values = flags.values as Partial<Record<'models' | 'data' | 'picture' | 'engines', string>> &
    Partial<Record<'seconds' | 'repetitions', number>> & { workers?: number[]; json?: boolean; engine?: EngineName };
  const names = values.models?.split(',').map((name) => name.trim()) ?? zooModels.map(({ model }) => model.name);
  return {
    models: names.map((name) => loadModelSpec(name)),
    workers: values.workers ?? defaultWorkers,
    engine: values.engine ?? engineNames[0],
    engines: values.engines?.split(',') as EngineName[] | undefined,
    seconds: values.seconds ?? DEFAULT_SECONDS,
    repetitions: values.repetitions ?? DEFAULT_REPETITIONS,
    data: values.data,
    picture: values.picture,
    json: values.json === true,
  };
}
