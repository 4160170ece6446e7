/** What ends a segment early: workers that were lost, told as warnings until there are too many. */
import { LockstepError } from '@lockstep/core/errors';
import type { OnWarning } from '@lockstep/core/seams';
import type { LostWorker } from './step-workers.js';

/** Workers lost without a step in between before the run is given up. */
const MAX_LOSSES = 3;

/**
 * @param losses in a row, with this one
 * @throws LockstepError LOCKSTEP_WORKER_LOST when they are too many
 */
export function reportLoss(
  { worker, error }: LostWorker,
  losses: number,
  step: number,
  onWarning: OnWarning | undefined,
): void {
  if (losses > MAX_LOSSES) {
    throw new LockstepError(
      'LOCKSTEP_WORKER_LOST',
      `workers were lost ${losses} times in a row at step ${step}: ${error.message}. Report this with the output of LOCKSTEP_DEBUG=1.`,
      { cause: error },
    );
  }
  onWarning?.({
    code: 'LOCKSTEP_WORKER_REPLACED',
    worker,
    message: `a worker was lost at step ${step} (${error.message}); it was replaced and its shards are computed again. The result is not affected.`,
  });
}
