/** The real process behind `Io`. */
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { isatty } from 'node:tty';
import type { InterruptSignal, Io } from './io.js';
import { onOutputLost, stderr, stdout } from './process-output.js';
import { watchTerminal } from './process-terminal.js';

/**
 * Whether a person may sit before it: some stream was a terminal when the process began. Otherwise it outlives the terminal
 * (nohup, systemd, ssh without one): Node takes SIGHUP back from whoever had it ignored, so it is ignored here.
 */
const isAttended = [0, 1, 2].some((descriptor) => isatty(descriptor));

const SIGNALS: readonly InterruptSignal[] = [
  'SIGINT',
  'SIGTERM',
  'SIGUSR1',
  ...(isAttended ? ['SIGHUP' as const] : []),
];

const ignore = (): void => {};

export function processIo(): Io {
  if (!isAttended && !process.listeners('SIGHUP').includes(ignore)) process.on('SIGHUP', ignore);
  return {
    stdout,
    stderr,
    env: process.env,
    coreCount: availableParallelism(),
    now: () => performance.now(),
    readInput,
    onInterrupt(handler) {
      for (const signal of SIGNALS) process.on(signal, handler);
      return () => {
        for (const signal of SIGNALS) process.off(signal, handler);
      };
    },
    onOutputLost,
    onTerminal: watchTerminal,
    exit: (code) => process.exit(code),
  };
}

async function readInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
