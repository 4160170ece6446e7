/** A run from its first event to its last. */
import { LockstepError } from '@lockstep/core/errors';
import type { EndEvent, RunEvent } from '@lockstep/core/events';
import type { ModelState } from '@lockstep/core/run';
import type { TrainRequest } from '../api/session.js';

export interface Trained {
  readonly state: ModelState;
  readonly average?: ModelState;
  readonly end: EndEvent | undefined;
}

export interface Failed {
  readonly failure: unknown;
}

/**
 * Hands on the events of a run until its end. A failure after the start is the run's; a LockstepError before it is bad
 * input, and thrown.
 */
export async function followRun(request: TrainRequest, onEvent: (event: RunEvent) => void): Promise<Trained | Failed> {
  const { train } = await import('../api/session.js');
  let isStarted = false;
  let end: EndEvent | undefined;
  try {
    const events = train(request);
    for (;;) {
      const next = await events.next();
      if (next.done) return { ...next.value, end };
      const event: RunEvent = next.value;
      isStarted = true;
      if (event.event === 'end') end = event;
      onEvent(event);
    }
  } catch (failure) {
    if (failure instanceof LockstepError && !isStarted) throw failure;
    return { failure };
  }
}
