/** Flags of `lockstep speedrun` and what they come to. */

import { dataField, jsonField, workersField } from '../../fields/common-fields.js';
import { type Field, fieldsIn, isOneOf, isWholeNumber, optionError } from '../../fields/field.js';
import { readChecked } from '../../settings/setting-source.js';
import { findTarget, type Target, targets } from './targets.js';

const DEFAULT_ACCURACY = 0.994;
const DEFAULT_RUNS = 20;
const MOST_RUNS = 10_000;

const { number, text } = fieldsIn('Run');
const accuracies = targets.map(({ accuracy }) => String(accuracy));

export const speedrunFields: readonly Field[] = [
  number('--target <fraction>', 'target', `test accuracy to reach: ${accuracies.join(', ')}`, {
    defaultText: String(DEFAULT_ACCURACY),
    check: (value) => isOneOf(...accuracies)(String(value)),
  }),
  number('--runs <n>', 'runs', 'trainings, with seeds from 1 on', {
    defaultText: String(DEFAULT_RUNS),
    check: isWholeNumber(1, MOST_RUNS),
  }),
  text('--python <path>', 'python', 'run PyTorch beside it with this interpreter, in turns, see --torch-runs'),
  number('--torch-runs <n>', 'torchRuns', 'trainings in PyTorch', {
    defaultText: '1',
    check: isWholeNumber(1, MOST_RUNS),
  }),
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
  const flags = readChecked(speedrunFields, options);
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
