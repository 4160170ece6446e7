/** stdout and stderr of the process. A stream that cannot be written to any more is dropped; that is never an uncaught error. */
import type { OutputName, OutputStream } from './io.js';

type Handler = (name: OutputName, reason: string) => void;

const handlers = new Set<Handler>();
const lost = new Map<OutputName, string>();

/** See `Io.onOutputLost`. */
export function onOutputLost(handler: Handler): () => void {
  handlers.add(handler);
  for (const [name, reason] of lost) handler(name, reason);
  return () => handlers.delete(handler);
}

class ProcessOutput implements OutputStream {
  constructor(
    private readonly name: OutputName,
    private readonly stream: NodeJS.WriteStream,
  ) {
    stream.on('error', (error: NodeJS.ErrnoException) => this.#lose(error));
  }

  get isTTY(): boolean {
    return this.stream.isTTY;
  }

  get columns(): number {
    return this.stream.columns;
  }

  write(text: string): void {
    if (!lost.has(this.name)) this.stream.write(text);
  }

  #lose(error: NodeJS.ErrnoException): void {
    if (lost.has(this.name)) return;
    const isReaderGone = error.code === 'EPIPE';
    const reason = isReaderGone ? 'EPIPE: its reader has gone' : error.message;
    lost.set(this.name, reason);
    for (const handler of handlers) handler(this.name, reason);
    if (handlers.size > 0 || this.name === 'stderr') return;
    // `lockstep models | head -1` closes the pipe early: that is no failure, and nothing is left to do
    if (!isReaderGone)
      stderr.write(`lockstep: nothing more can be written to stdout (${reason}); the rest is left out\n`);
    process.exit(process.exitCode ?? 0);
  }
}

export const stdout: OutputStream = new ProcessOutput('stdout', process.stdout);
export const stderr: OutputStream = new ProcessOutput('stderr', process.stderr);
