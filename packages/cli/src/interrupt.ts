/** Ctrl-C: the first asks the run to finish its step, the second ends the process at once. */
import type { InterruptSignal, Io } from './io.js';

/** What a shell reports for a process that a signal ended: 128 + its number. */
const EXIT_CODES: Readonly<Record<InterruptSignal, number>> = { SIGINT: 130, SIGTERM: 143, SIGUSR1: 138 };

export interface InterruptWatch {
  /** Aborted by the first signal, with its name as the reason. */
  readonly signal: AbortSignal;
  /** Leaves signals to the process again. */
  stop(): void;
}

/** Whether whatever started this process has ended it, rather than a person: Ctrl-C is nobody's preemption. */
export const isPreempted = ({ aborted, reason }: AbortSignal): boolean => aborted && reason !== 'SIGINT';

export interface InterruptHandlers {
  /** Tells the person that the step is being finished. */
  readonly onFirst: () => void;
  /** Puts the terminal in order. */
  readonly beforeExit?: (() => void) | undefined;
  /** Launchers send more than one signal, and end a process for good when they mean it: only Ctrl-C ends at once then. */
  readonly isPreemptible?: boolean | undefined;
  /** Takes SIGUSR1, which then interrupts nothing. */
  readonly onWarning?: (() => void) | undefined;
}

export function watchInterrupts(io: Io, handlers: InterruptHandlers): InterruptWatch {
  const { onFirst, beforeExit = () => {}, isPreemptible = false, onWarning } = handlers;
  const controller = new AbortController();
  const stop = io.onInterrupt((signal) => {
    if (signal === 'SIGUSR1' && onWarning !== undefined) {
      onWarning();
      return;
    }
    if (controller.signal.aborted) {
      if (isPreemptible && signal !== 'SIGINT') return;
      beforeExit();
      io.exit(EXIT_CODES[signal]);
      return;
    }
    onFirst();
    controller.abort(signal);
  });
  return { signal: controller.signal, stop };
}
