/** Ctrl-C and its like during the set-up: by the rules of packages/cli/src/terminal/ending.ts, which is not built yet. */
import { constants } from 'node:os';
import { isatty } from 'node:tty';

/** Within this, a signal is an echo of the first: npm hands on what the terminal has sent to both. */
const ECHO_MS = 250;

/** Where no stream is a terminal, the end of one is no reason to stop. */
const isAttended = [0, 1, 2].some((descriptor) => isatty(descriptor));
const ignore = () => {};

/**
 * The first signal aborts `signal`, a second one ends the process; until `stop`.
 *
 * @returns `exitCode()` is that of the first signal
 */
export function watchSignals() {
  if (!isAttended && !process.listeners('SIGHUP').includes(ignore)) process.on('SIGHUP', ignore);
  const names = ['SIGINT', 'SIGTERM', ...(isAttended ? ['SIGHUP'] : [])];
  const interrupt = new AbortController();
  let first;
  const exitCode = () => 128 + constants.signals[first.name];
  const hear = (name) => {
    if (first !== undefined && performance.now() - first.atMs > ECHO_MS) process.exit(exitCode());
    first ??= { name, atMs: performance.now() };
    interrupt.abort();
  };
  for (const name of names) process.on(name, hear);
  return {
    signal: interrupt.signal,
    exitCode,
    stop() {
      for (const name of names) process.off(name, hear);
    },
  };
}
