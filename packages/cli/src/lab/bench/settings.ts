/** Flags of the bench commands and what they come to. */
import { type EngineName, engineNames, type KernelChoice, kernelChoices } from '@lockstep/core/seams';
import type { ModelSpec, Recipe } from '@lockstep/core/spec';
import { loadModelSpec, zooModels } from '@lockstep/core/zoo';
import { dataField, jsonField } from '../../fields/common-fields.js';
import { type Field, fieldsIn, isOneOf, isWholeNumber } from '../../fields/field.js';
import { readChecked } from '../../settings/setting-source.js';

const MOST_WORKERS = 1024;
const MOST_SECONDS = 3600;

const DEFAULT_SECONDS = 0.5;
const DEFAULT_REPETITIONS = 5;

const run = fieldsIn('Run');
const output = fieldsIn('Output');

export const modelsField = run.text('--models <names>', 'models', 'names or .json files with commas between them', {
  defaultText: 'the whole zoo',
});

export const workersListField = (defaultText: string): Field =>
  run.numbers('--workers <n,n>', 'workers', 'numbers of workers to measure', {
    defaultText,
    check: (value) =>
      (value as number[]).map(isWholeNumber(1, MOST_WORKERS)).find((allowed) => allowed !== undefined) ??
      (new Set(value as number[]).size < (value as number[]).length ? 'must not name a number twice' : undefined),
  });

export const secondsField = run.number('--seconds <s>', 'seconds', 'length of each measurement', {
  defaultText: String(DEFAULT_SECONDS),
  check: (value) =>
    (value as number) > 0 && (value as number) <= MOST_SECONDS
      ? undefined
      : `must be above 0 and up to ${MOST_SECONDS}`,
});

export const repetitionsField = run.number('--repetitions <n>', 'repetitions', 'measurements to take the median of', {
  defaultText: String(DEFAULT_REPETITIONS),
  check: isWholeNumber(1, 1000),
});

export const engineField = run.text('--engine <name>', 'engine', `what computes: ${engineNames.join(', ')}`, {
  defaultText: engineNames[0],
  check: isOneOf(...engineNames),
});

export const kernelsField = run.text(
  '--kernels <which>',
  'kernels',
  `of the native engine: ${kernelChoices.join(', ')}`,
  {
    defaultText: kernelChoices[0],
    check: isOneOf(...kernelChoices),
  },
);

export const enginesField = run.text(
  '--engines <names>',
  'engines',
  `compare engines with each other and with tfjs's trainOnBatch: ${engineNames.join(',')}`,
  {
    check: (value) =>
      String(value)
        .split(',')
        .map(isOneOf(...engineNames))
        .find((allowed) => allowed !== undefined),
  },
);

export const pictureField = output.written('--picture <file>', 'picture', 'draw the share of peak here (.svg)');

export const outField = output.written('--out <file>', 'out', 'write the calibration here (.json)', {
  defaultText: 'calibration.json',
});

export const commonFields: readonly Field[] = [dataField, jsonField];

export interface BenchSettings {
  readonly models: readonly { readonly model: ModelSpec; readonly recipe: Recipe }[];
  readonly workers: readonly number[];
  readonly engine: EngineName;
  /** Of the native engine. */
  readonly kernels: KernelChoice | undefined;
  /** To compare; undefined for the speed of one. */
  readonly engines: readonly EngineName[] | undefined;
  readonly seconds: number;
  readonly repetitions: number;
  readonly data: string | undefined;
  readonly picture: string | undefined;
  readonly json: boolean;
}

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
  const flags = readChecked(fields, options);
  const values = flags.values as Partial<Record<'models' | 'data' | 'picture' | 'engines', string>> &
    Partial<Record<'seconds' | 'repetitions', number>> & { workers?: number[]; json?: boolean } & {
      engine?: EngineName;
      kernels?: KernelChoice;
    };
  const names = values.models?.split(',').map((name) => name.trim()) ?? zooModels.map(({ model }) => model.name);
  return {
    models: names.map((name) => loadModelSpec(name)),
    workers: values.workers ?? defaultWorkers,
    engine: values.engine ?? engineNames[0],
    kernels: values.kernels,
    engines: values.engines?.split(',') as EngineName[] | undefined,
    seconds: values.seconds ?? DEFAULT_SECONDS,
    repetitions: values.repetitions ?? DEFAULT_REPETITIONS,
    data: values.data,
    picture: values.picture,
    json: values.json === true,
  };
}
