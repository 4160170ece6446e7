/** Flags of `lockstep reproduce` and what they come to. */

import { dataField, jsonField, workersField } from '../../fields/common-fields.js';
import { type Field, fieldsIn, isWholeNumber, optionError } from '../../fields/field.js';
import { readChecked } from '../../settings/setting-source.js';
import { type Claim, selectClaims } from './claims.js';

const DEFAULT_SEEDS: readonly number[] = [1, 2, 3, 4, 5];
const DEFAULT_OUT = 'runs/reproduce';

const run = fieldsIn('Run');
const output = fieldsIn('Output');

export const reproduceFields: readonly Field[] = [
  run.text('--recipe <name>', 'recipe', 'only claims under this recipe: author or ours'),
  run.numbers('--seeds <n,n>', 'seeds', 'seeds to run and take the median of', {
    defaultText: DEFAULT_SEEDS.join(','),
    check: (value) =>
      (value as number[]).map(isWholeNumber(0, Number.MAX_SAFE_INTEGER)).find((allowed) => allowed !== undefined),
  }),
  workersField,
  run.toggle('--until-reached', 'untilReached', 'stop each run at the first epoch that reaches its claim'),
  run.toggle('--quick', 'quick', 'only the first steps of one seed of each, and whether their hashes are as recorded'),
  dataField,
  output.text('--out <dir>', 'out', 'folder of the runs and the report; runs that are there are not run again', {
    defaultText: DEFAULT_OUT,
  }),
  output.toggle('--record', 'record', "record the runs' hashes as those to be promised from now on"),
  jsonField,
];

export interface ReproduceSettings {
  readonly claims: readonly Claim[];
  readonly seeds: readonly number[];
  readonly workers: number;
  readonly untilReached: boolean;
  readonly quick: boolean;
  readonly data: string | undefined;
  readonly out: string;
  readonly record: boolean;
  readonly json: boolean;
}

/**
 * Reads the command's flags.
 *
 * @param options commander's
 * @throws LockstepError for a model, recipe or flag that is wrong
 */
export function resolveReproduce(
  models: readonly string[],
  options: Readonly<Record<string, unknown>>,
  coreCount: number,
): ReproduceSettings {
  const flags = readChecked(reproduceFields, options);
  const values = flags.values as Partial<Record<'recipe' | 'data' | 'out', string>> &
    Partial<Record<'untilReached' | 'quick' | 'record' | 'json', boolean>> & { seeds?: number[]; workers?: number };
  const quick = values.quick === true;
  if (quick && values.untilReached) throw optionError('--quick runs the first steps alone; leave --until-reached out');
  return {
    claims: selectClaims(models, values.recipe),
    seeds: values.seeds ?? (quick ? DEFAULT_SEEDS.slice(0, 1) : DEFAULT_SEEDS),
    workers: values.workers ?? coreCount,
    untilReached: values.untilReached === true,
    quick,
    data: values.data,
    out: values.out ?? DEFAULT_OUT,
    record: values.record === true,
    json: values.json === true,
  };
}
