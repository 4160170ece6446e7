/** The real process behind `Io`. */
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { InterruptSignal, Io } from './io.js';
import { watchTerminal } from './process-terminal.js';

const SIGNALS: readonly InterruptSignal[] = ['SIGINT', 'SIGTERM', 'SIGUSR1'];

let isWatchingPipes = false;

export function processIo(): Io {
  watchPipes();
  return {
    stdout: process.stdout,
    stderr: process.stderr,
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
    onTerminal: watchTerminal,
    exit: (code) => process.exit(code),
  };
}

async function readInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** `lockstep models | head -1` closes the pipe early: that is no failure. */
function watchPipes(): void {
  if (isWatchingPipes) return;
  isWatchingPipes = true;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(process.exitCode ?? 0);
    });
  }
}
