/** What a program may ask of a training, checked as flags and config files are, by the same schema. */

import { checkDataset, type Dataset } from '@lockstep/core/data';
import { type Check, describeSetting, isText } from '@lockstep/core/errors';
import { isRecord } from '@lockstep/core/files';
import { RunControl, type RunObserver, runSchema, workersSchema } from '@lockstep/core/seams';
import { allowedBy, checkOptions, fieldsOf, optionError, type RecipeInput } from '@lockstep/core/spec';
import type { z } from 'zod';
import { getPath, type SettingSource } from '../settings/setting-source.js';
import { findConflict } from '../settings/together.js';
import type { ModelSource } from './model-source.js';

const isFields: Check = (value) => (isRecord(value) ? undefined : 'must be an object with fields such as epochs');
const isTextOrObject =
  (expected: string): Check =>
  (value) =>
    isText(value) === undefined || isRecord(value) ? undefined : `must be ${expected}`;
const isA =
  (kind: typeof AbortSignal | typeof RunControl): Check =>
  (value) =>
    value instanceof kind ? undefined : `must be an object of the class ${kind.name}`;
const isList: Check = (value) =>
  Array.isArray(value) && value.every(isRecord) ? undefined : 'must be a list of observers';

export const modelSource = allowedBy<ModelSource>(
  isTextOrObject('a name of the zoo, the path of a .json file, or a model'),
);

const trainSchema = fieldsOf({
  /** Default: the resumed checkpoint's, else the one that `weights` carries, else `tiny6k`. */
  model: modelSource.optional(),
  /** Laid over the model's own recipe (or the checkpoint's), field by field. */
  recipe: allowedBy<RecipeInput>(isFields).optional(),
  /**
   * A dataset, see `createArrayDataset`, with its own mean and std; or a path, see `openDataset`, whose pixels are
   * normalized as by the run to resume or the weights to start from, if there are such. Default: what the checkpoint
   * says, else MNIST.
   */
  data: allowedBy<Dataset | string>(isTextOrObject('a path or a dataset')).optional(),
  ...runSchema.omit({ preemptible: true }).partial().shape,
  /** Threads, 1 to 1024; any number gives the same result. Default: this machine's cores. */
  workers: workersSchema.optional(),
  /** Aborting finishes the step, evaluates, and ends the run with reason `interrupted`. */
  signal: allowedBy<AbortSignal>(isA(AbortSignal)).optional(),
  /** Asks for pauses, checkpoints and the end while the run goes. */
  control: allowedBy<RunControl>(isA(RunControl)).optional(),
  /** Who watches the run; see `RunObserver`. */
  observers: allowedBy<readonly RunObserver[]>(isList).optional(),
});

export interface TrainOptions extends Readonly<z.input<typeof trainSchema>> {}
export type CheckedOptions = Readonly<z.output<typeof trainSchema>>;

/** @throws LockstepError LOCKSTEP_OPTION, as flags are refused; LOCKSTEP_DATA_ARRAYS for a dataset that is none */
export function checkTrainOptions(options: TrainOptions): CheckedOptions {
  const checked = checkOptions(trainSchema, options);
  const { checkpoints, best = checkpoints?.best, ...others } = checked;
  const values: Record<string, unknown> = { ...others, best };
  const conflict = findConflict(
    (name) => values[name],
    (name) => name,
  );
  if (conflict !== undefined) throw optionError(conflict);
  if (typeof checked.data === 'object') checkDataset(checked.data);
  return checked;
}

/** The recipe of a program's options, as one of the sources of a run's settings. */
export const optionsSource = ({ recipe }: CheckedOptions): SettingSource => ({
  values: { recipe },
  describe: (path) => `options: ${describeSetting(path, getPath({ recipe }, path))}`,
  nameOf: (path) => String(path.at(-1)),
});
