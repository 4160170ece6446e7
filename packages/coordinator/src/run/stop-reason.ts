/** Why a run ends before its recipe does: it has what was wanted, or somebody cuts it short. */
import { type EpochEvent, epochsWithoutGain } from '@lockstep/core/events';
import type { RunControl } from '@lockstep/core/seams';
import type { Progress } from './divergence-checks.js';
import type { RunOptions } from './run-options.js';

export type StopReason = 'until' | 'patience';

/** Why a run whose last epoch ended with this step is to end before its recipe does. */
export function findStopReason(
  { until, patience, best, dataset }: RunOptions,
  epochs: readonly EpochEvent[],
  { step, epochSteps }: Progress,
): StopReason | undefined {
  const last = epochs.at(-1);
  if (last === undefined || step !== epochs.length * epochSteps) return undefined;
  if (until !== undefined && last.testAccuracy >= until) return 'until';
  const metric = best ?? (dataset.validation.count > 0 ? 'validationAccuracy' : 'testAccuracy');
  return patience !== undefined && epochsWithoutGain(epochs, metric) >= patience ? 'patience' : undefined;
}

export interface Halt {
  readonly reason: 'stopped' | 'interrupted';
  readonly signal?: string;
}

/** Who cuts the run short, if anybody does. */
export function findHalt(signal: AbortSignal | undefined, control: RunControl): Halt | undefined {
  if (signal?.aborted !== true) return control.isStopped ? { reason: 'stopped' } : undefined;
  const name: unknown = signal.reason;
  return { reason: 'interrupted', ...(typeof name === 'string' && { signal: name }) };
}
