/** Flags of `lockstep reproduce` and what they come to. */
import { type Field, isBoolean, isText, isWholeNumber, optionError } from '../../settings/fields.js';
import { dataField, jsonField, workersField } from '../../settings/options.js';
import { getPath, readFlags } from '../../settings/setting-source.js';
import { type Claim, selectClaims } from './claims.js';

const DEFAULT_SEEDS: readonly number[] = [1, 2, 3, 4, 5];
const DEFAULT_OUT = 'runs/reproduce';

const toggle = (flags: string, path: string, description: string): Field => ({
  flags,
  path: [path],
  group: 'Run',
  kind: 'switch',
  description,
  check: isBoolean,
});

export const reproduceFields: readonly Field[] = [
  {
    flags: '--recipe <name>',
    path: ['recipe'],
    group: 'Run',
    kind: 'text',
    description: 'only claims under this recipe: author or ours',
    check: isText,
  },
  {
    flags: '--seeds <n,n>',
    path: ['seeds'],
    group: 'Run',
    kind: 'numbers',
    description: 'seeds to run and take the median of',
    defaultText: DEFAULT_SEEDS.join(','),
    check: (value) =>
      (value as number[]).map(isWholeNumber(0, Number.MAX_SAFE_INTEGER)).find((allowed) => allowed !== undefined),
  },
  workersField,
  toggle('--until-reached', 'untilReached', 'stop each run at the first epoch that reaches its claim'),
  toggle('--quick', 'quick', 'only the first steps of one seed of each, and whether their hashes are as recorded'),
  dataField,
  {
    flags: '--out <dir>',
    path: ['out'],
    group: 'Output',
    kind: 'text',
    description: 'folder of the runs and the report; runs that are there are not run again',
    defaultText: DEFAULT_OUT,
    check: isText,
  },
  { ...toggle('--record', 'record', "record the runs' hashes as those to be promised from now on"), group: 'Output' },
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
  const flags = readFlags(reproduceFields, options);
  for (const { path, check } of reproduceFields) {
    const value = getPath(flags.values, path);
    const allowed = value === undefined ? undefined : check?.(value);
    if (allowed !== undefined) throw optionError(`${flags.describe(path)}: ${allowed}`);
  }
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
