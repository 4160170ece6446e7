/** Measurements one after the other, until a signal ends them: what is done then is kept. */
import { type ProcessEnding, watchEnding } from '../terminal/ending.js';
import { type Io, writeLine } from '../terminal/io.js';

/** Signals are heard in a turn of the event loop only: what computes for long on the main thread gives one now and then. */
export const hearSignals = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Measures each entry. A signal leaves out what is under way, which only the end of the process ends.
 *
 * @param what they are, and become: `models are measured`
 * @returns the exit code of the signal that ended this, 0 without one
 */
export async function measureEach<Entry>(
  entries: readonly Entry[],
  what: string,
  measure: (entry: Entry) => Promise<void> | void,
  io: Io,
): Promise<number> {
  const ending = watchEnding(io);
  const interrupted = untilInterrupted(ending);
  let done = 0;
  try {
    for (const entry of entries) {
      await hearSignals();
      if (ending.signal.aborted) break;
      const work = Promise.resolve(measure(entry)).then(() => void done++);
      await Promise.race([work, interrupted]);
      if (ending.signal.aborted) work.catch(() => {});
    }
    if (ending.signal.aborted) writeLine(io.stderr, `Interrupted: ${done} of ${entries.length} ${what}.`);
    return ending.exitCode;
  } finally {
    ending.stop();
  }
}

const untilInterrupted = ({ signal }: ProcessEnding): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve()));

/**
 * Cleans up when told to, or when the process exits: for what would outlive it.
 *
 * @param cleanUp synchronous
 * @returns what cleans up; the second call does nothing
 */
export function cleanUpAtExit(cleanUp: () => void): () => void {
  const once = (): void => {
    process.off('exit', once);
    cleanUp();
  };
  process.once('exit', once);
  return once;
}
