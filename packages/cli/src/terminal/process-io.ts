/** The real process behind `Io`. */
import { closeSync, openSync } from 'node:fs';
import { constants, devNull } from 'node:os';
import { performance } from 'node:perf_hooks';
import { isatty } from 'node:tty';
import { findUsableCores } from '@lockstep/core/machine';
import type { InterruptSignal, Io, OutputStream } from './io.js';
import { onOutputLost, stderr, stdout } from './process-output.js';
import { watchTerminal } from './process-terminal.js';
import { findSpelling, spellCommands } from './spelling.js';

/**
 * Those of the streams that were terminals when the process began. Without one it outlives whatever terminal it was begun in
 * (nohup, systemd, ssh): Node takes SIGHUP back from whoever had it ignored, so it is ignored here.
 */
const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
const isAttended = terminals.length > 0;

const SIGNALS: readonly InterruptSignal[] = [
  'SIGINT',
  'SIGTERM',
  'SIGUSR1',
  ...(process.platform === 'win32' ? [] : (['SIGUSR2', 'SIGXCPU'] as const)),
  ...(isAttended ? ['SIGHUP' as const] : []),
];

const ignore = (): void => {};

/** As the system ends a program that does not listen. */
const endUnheard = (): void => {
  if (process.listenerCount('SIGUSR1') === 1) process.exit(128 + constants.signals.SIGUSR1);
};

/** Node puts the terminal's modes back when it exits, and aborts (seen with Node 20) where the terminal is gone by then. */
const leaveTerminal = (): void =>
  void process.once('exit', () => {
    for (const descriptor of terminals) {
      closeSync(descriptor);
      openSync(devNull, 'r+');
    }
  });

export function processIo(): Io {
  // Node opens its debugger, to everybody on the machine, at a SIGUSR1 that nobody listens to
  listenOnce('SIGUSR1', endUnheard);
  if (!isAttended) listenOnce('SIGHUP', ignore);
  const spelling = findSpelling(process.env);
  return {
    stdout,
    stderr: spellingStream(stderr, spelling),
    spelling,
    env: process.env,
    coreCount: findUsableCores().count,
    now: () => performance.now(),
    readInput,
    onInterrupt(handler) {
      const hear = (signal: InterruptSignal): void => {
        if (signal === 'SIGHUP') leaveTerminal();
        handler(signal);
      };
      for (const signal of SIGNALS) process.on(signal, hear);
      return () => {
        for (const signal of SIGNALS) process.off(signal, hear);
      };
    },
    onOutputLost,
    onTerminal: watchTerminal,
    exit: (code) => process.exit(code),
  };
}

function listenOnce(name: NodeJS.Signals, listener: () => void): void {
  if (!process.listeners(name).includes(listener)) process.on(name, listener);
}

/** All of stderr is for people. */
const spellingStream = (stream: OutputStream, spelling: string): OutputStream => ({
  get isTTY() {
    return stream.isTTY;
  },
  get columns() {
    return stream.columns;
  },
  write: (text) => stream.write(spellCommands(text, spelling)),
});

async function readInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
