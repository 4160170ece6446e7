/**
 * How a process ends that takes long. The first signal asks it to end in order, a second one ends it at once; cut short is
 * never exit code 0. And what becomes of it when nobody takes what it prints: it goes on.
 */
import { constants } from 'node:os';
import { EXIT_FAILED } from './failure.js';
import { type InterruptSignal, type Io, type OutputName, writeLine } from './io.js';

/** With --preemptible: ended by a signal but Ctrl-C, to be started again. EX_TEMPFAIL of sysexits.h. */
export const EXIT_PREEMPTED = 75;

/**
 * Signals come in twice: a terminal's Ctrl-C reaches every process of its group, and npm hands it on besides; `timeout`
 * sends its own to the process and to its group. What comes before the first was answered is taken for such an echo.
 */
export const ECHO_MS = 250;

/** Those that end a process at once when they come again: a terminal closes once, and warnings are repeated. */
const INSISTENT: readonly InterruptSignal[] = ['SIGINT', 'SIGTERM'];

export interface ProcessEnding {
  /** Aborted by the first signal, with its name as the reason. */
  readonly signal: AbortSignal;
  /** Of a process that the signal has cut short; 0 before there is one. */
  readonly exitCode: number;
  /** Leaves signals to the process again. */
  stop(): void;
}

export interface EndingHandlers {
  /** Tells the person that the end is under way, unless it comes within a moment. */
  readonly onFirst?: () => void;
  /** The last words of a process that ends at once; puts the terminal in order. */
  readonly beforeExit?: () => void;
  /** Launchers send more than one signal, and end a process for good when they mean it: only Ctrl-C ends at once then. */
  readonly isPreemptible?: boolean | undefined;
  /** Takes SIGUSR1, which then interrupts nothing. */
  readonly onWarning?: () => void;
  /** Tells where it can still be read that a stream takes nothing more. Default: a line on stderr, nothing on stdout. */
  readonly onOutputLost?: (name: OutputName, text: string) => void;
}

/** Whether whatever started this process has ended it, rather than a person: Ctrl-C is nobody's preemption. */
export const isPreempted = ({ aborted, reason }: AbortSignal): boolean => aborted && reason !== 'SIGINT';

/** What a shell reports for a process that a signal has ended: 128 + its number; 1 for what is no signal's name. */
export function exitCodeOfSignal(name = ''): number {
  const number = Object.hasOwn(constants.signals, name) && constants.signals[name as NodeJS.Signals];
  return number === false ? EXIT_FAILED : 128 + number;
}

/** Of a process that a signal has ended. */
const exitCodeAfter = (name: string, isPreemptible: boolean): number =>
  isPreemptible && name !== 'SIGINT' ? EXIT_PREEMPTED : exitCodeOfSignal(name);

/**
 * Ends the process at the first signal, with the exit code and in the words of a run: before one has begun, nothing is there
 * that could be ended in order, and what is written then is written whole or not at all.
 *
 * @returns what leaves signals to the process again
 */
export const endBeforeRun = (io: Io, isPreemptible = false): (() => void) =>
  io.onInterrupt((name) => {
    writeLine(io.stderr, `Ended by ${name} before the run began.`);
    io.exit(exitCodeAfter(name, isPreemptible));
  });

/** Takes signals and lost streams over from the process until `stop`. */
export function watchEnding(io: Io, handlers: EndingHandlers = {}): ProcessEnding {
  const { onFirst, beforeExit, isPreemptible = false, onWarning, onOutputLost } = handlers;
  const controller = new AbortController();
  const { signal } = controller;
  let isAnswered = false;
  let answer: NodeJS.Timeout | undefined;
  const endInterrupts = io.onInterrupt((name) => {
    if (name === 'SIGUSR1' && onWarning !== undefined) {
      onWarning();
      return;
    }
    if (!signal.aborted) {
      controller.abort(name);
      answer = setTimeout(() => {
        isAnswered = true;
        onFirst?.();
      }, ECHO_MS);
      return;
    }
    if (!isAnswered || !INSISTENT.includes(name) || (isPreemptible && name !== 'SIGINT')) return;
    beforeExit?.();
    io.exit(exitCodeOfSignal(name));
  });
  const endLost = io.onOutputLost((name, reason) => {
    const text = `nothing more can be written to ${name} (${reason}); it goes on without.`;
    if (onOutputLost) onOutputLost(name, text);
    else if (name === 'stdout') writeLine(io.stderr, `warning: ${text}`);
  });
  return {
    signal,
    get exitCode() {
      if (!signal.aborted) return 0;
      return exitCodeAfter(signal.reason, isPreemptible);
    },
    stop() {
      clearTimeout(answer);
      endInterrupts();
      endLost();
    },
  };
}
