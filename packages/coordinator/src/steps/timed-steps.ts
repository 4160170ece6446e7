/** Where the time of every node's steps went, kept until somebody takes it. */

import type { StepTimes } from '@lockstep/core/events';
import type { StepOutcome } from '@lockstep/core/seams';

type Durations = Pick<StepOutcome, 'computeMs' | 'updateMs' | 'stepMs'>;

/** Steps kept at the most. */
const MAX_STEPS = 4096;

export class TimedSteps {
  #steps: StepTimes[] = [];

  /** Called when the step has ended, so that its beginning is known on this clock. */
  note(node: string, step: number, { computeMs, updateMs, stepMs }: Durations): void {
    if (this.#steps.length >= MAX_STEPS) return;
    this.#steps.push({
      node,
      worker: undefined,
      step,
      beganMs: performance.now() - stepMs,
      contributeMs: computeMs,
      waitMs: 0,
      exchangeMs: Math.max(0, stepMs - computeMs - updateMs),
      updateMs,
      commitMs: 0,
    });
  }

  take(): StepTimes[] {
    return this.#steps.splice(0);
  }
}
