/** The rim of the program: what it touches of its process, in one object, so that tests can bring their own. */

import { LockstepError } from '@lockstep/core/errors';
import { isStdout } from '@lockstep/core/files';
import { plainText } from '@lockstep/core/text';
import { spellCommands } from './spelling.js';

export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  /** Width in characters; read anew each time, since a window can be resized. */
  readonly columns?: number | undefined;
}

/** Ctrl-C; the end of a job; a closed terminal; the warnings before it of Slurm, Grid Engine and others, and of `ulimit -t`. */
export type InterruptSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGUSR1' | 'SIGUSR2' | 'SIGXCPU';

export type OutputName = 'stdout' | 'stderr';

/** What happens to the terminal while something is drawn on it. */
export interface TerminalHandlers {
  /** Ctrl-Z: the process is about to stand still. */
  readonly suspend: () => void;
  /** It goes on. */
  readonly resume: () => void;
  /** The window has another size. */
  readonly resize: () => void;
}

export interface Io {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** How a command is spelled here, see spelling.ts. */
  readonly spelling: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Cores that this process may use: the default number of workers. */
  readonly coreCount: number;
  /**
   * Compiles the kernels for this machine where they are not there yet: a run begins with those in WebAssembly. Resolves with
   * undefined, else with why that cannot be.
   */
  readonly compileKernels?: (() => Promise<string | undefined>) | undefined;
  /** Milliseconds on a clock that never goes back. For display only. */
  now(): number;
  /** All of stdin. */
  readInput(): Promise<Uint8Array>;
  /** Calls the handler at each of these signals, instead of dying from it. Returns what ends that. */
  onInterrupt(handler: (signal: InterruptSignal) => void): () => void;
  /** Calls the handlers until what it returns is called. */
  onTerminal(handlers: TerminalHandlers): () => void;
  /**
   * Calls the handler, once for each stream, when a stream cannot be written to any more (at once if that is so already):
   * its reader has gone, its disk is full. Without a handler the process ends when that happens to stdout. Returns what ends that.
   */
  onOutputLost(handler: (name: OutputName, reason: string) => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
}

/** Tells a person on stderr what was taken, changed or left out. */
export const tellNote = (io: Pick<Io, 'stderr'>, text: string): void =>
  writeLine(io.stderr, `note: ${plainText(text)}`);

/** A line for people on stdout, its commands spelled as here; stderr, which is all for people, spells its own. */
export const tellLine = ({ stdout, spelling }: Pick<Io, 'stdout' | 'spelling'>, text: string): void =>
  writeLine(stdout, spellCommands(text, spelling));

/**
 * The same process where one of these files is its stdout: what it says goes to stderr then, so that the file is whole.
 *
 * @param files by the flags that name them
 * @param json whether stdout is asked for JSON as well
 * @throws LockstepError LOCKSTEP_CLI_OPTION where two of them would be mixed there
 */
export function keepingStdout(io: Io, files: Readonly<Record<string, unknown>>, json: boolean): Io {
  const claims = Object.keys(files).filter((flag) => typeof files[flag] === 'string' && isStdout(files[flag]));
  if (claims.length === 0) return io;
  const [one, other] = [...claims, ...(json ? ['--json'] : [])];
  if (other !== undefined) {
    const text = `${one} and ${other} would both go to stdout, and mix there. Name a file for ${one}.`;
    throw new LockstepError('LOCKSTEP_CLI_OPTION', text);
  }
  return Object.assign(Object.create(io), { stdout: io.stderr });
}

/**
 * A line for people, or several. Whatever others wrote of it (names of classes, columns and files, words of another
 * machine) moves no cursor and colours nothing: all that people read goes through here, but for the status line, which
 * `terminal.ts` draws, and the help.
 */
export const writeLine = (stream: OutputStream, text = ''): void => {
  stream.write(`${text.split('\n').map(plainText).join('\n')}\n`);
};

/** A line for programs. */
export const writeJson = (stream: OutputStream, value: unknown): void => {
  stream.write(`${JSON.stringify(value)}\n`);
};
