/** Flags of `lockstep speedrun` and what they come to. */
import { type Field, isOneOf, isText, isWholeNumber, optionError } from '../../settings/fields.js';
import { dataField, jsonField, workersField } from '../../settings/options.js';
import { getPath, readFlags } from '../../settings/setting-source.js';
import { findTarget, type Target, targets } from './targets.js';

const DEFAULT_ACCURACY = 0.994;
const DEFAULT_RUNS = 20;
const MOST_RUNS = 10_000;

export const speedrunFields: readonly Field[] = [
  {
    flags: '--target <fraction>',
    path: ['target'],
    group: 'Run',
    kind: 'number',
    description: `test accuracy to reach: ${targets.map(({ accuracy }) => accuracy).join(', ')}`,
    defaultText: String(DEFAULT_ACCURACY),
    check: (value) => isOneOf(...targets.map(({ accuracy }) => String(accuracy)))(String(value)),
  },
  {
    flags: '--runs <n>',
    path: ['runs'],
    group: 'Run',
    kind: 'number',
    description: 'trainings, with seeds from 1 on',
    defaultText: String(DEFAULT_RUNS),
    check: isWholeNumber(1, MOST_RUNS),
  },
  {
    flags: '--python <path>',
    path: ['python'],
    group: 'Run',
    kind: 'text',
    description: 'run PyTorch beside it with this interpreter, in turns, see --torch-runs',
    check: isText,
  },
  {
    flags: '--torch-runs <n>',
    path: ['torchRuns'],
    group: 'Run',
    kind: 'number',
    description: 'trainings in PyTorch',
    defaultText: '1',
    check: isWholeNumber(1, MOST_RUNS),
  },
  workersField,
  dataField,
  jsonField,
];

export interface SpeedrunSettings {
  readonly target: Target;
  readonly runs: number;
  readonly python: string | undefined;
  readonly torchRuns: number;
  readonly workers: number;
  readonly data: string | undefined;
  readonly json: boolean;
}

/**
 * Reads the command's flags.
 *
 * @param options commander's
 * @throws LockstepError for a flag that is wrong
 */
export function resolveSpeedrun(options: Readonly<Record<string, unknown>>, coreCount: number): SpeedrunSettings {
  const flags = readFlags(speedrunFields, options);
  for (const { path, check } of speedrunFields) {
    const value = getPath(flags.values, path);
    const allowed = value === undefined ? undefined : check?.(value);
    if (allowed !== undefined) throw optionError(`${flags.describe(path)}: ${allowed}`);
  }
  const values = flags.values as Partial<Record<'target' | 'runs' | 'torchRuns' | 'workers', number>> &
    Partial<Record<'python' | 'data', string>> & { json?: boolean };
  if (values.torchRuns !== undefined && values.python === undefined) {
    throw optionError('--torch-runs needs --python as well');
  }
  return {
    target: findTarget(values.target ?? DEFAULT_ACCURACY) as Target,
    runs: values.runs ?? DEFAULT_RUNS,
    python: values.python,
    torchRuns: values.torchRuns ?? 1,
    workers: values.workers ?? coreCount,
    data: values.data,
    json: values.json === true,
  };
}
