/** Ctrl-C: the first asks the run to finish its step, the second ends the process at once. */
import type { InterruptSignal, Io } from './io.js';

/** What a shell reports for a process that a signal ended: 128 + its number. */
const EXIT_CODES: Readonly<Record<InterruptSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

export interface InterruptWatch {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Leaves signals to the process again. */
  stop(): void;
}

/**
 * @param onFirst tells the person that the step is being finished
 * @param beforeExit puts the terminal in order
 */
export function watchInterrupts(io: Io, onFirst: () => void, beforeExit: () => void): InterruptWatch {
  const controller = new AbortController();
  const stop = io.onInterrupt((signal) => {
    if (controller.signal.aborted) {
      beforeExit();
      io.exit(EXIT_CODES[signal]);
      return;
    }
    onFirst();
    controller.abort();
  });
  return { signal: controller.signal, stop };
}
