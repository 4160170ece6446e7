/** An `Io` for tests: streams that keep what is written, a clock and signals in the test's hand. */
import type { InterruptSignal, Io, OutputName, OutputStream, TerminalHandlers } from '../terminal/io.js';

export class RecordingStream implements OutputStream {
  text = '';
  columns: number | undefined;

  constructor(readonly isTTY = false) {}

  write(text: string): void {
    this.text += text;
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
}

export class RecordingIo implements Io {
  readonly stdout: RecordingStream;
  readonly stderr: RecordingStream;
  spelling = 'lockstep';
  env: Record<string, string | undefined> = {};
  coreCount = 4;
  nowMs = 0;
  readonly exitCodes: number[] = [];
  private readonly handlers = new Set<(signal: InterruptSignal) => void>();
  private readonly lostHandlers = new Set<(name: OutputName, reason: string) => void>();

  constructor({ stdoutIsTTY = false, stderrIsTTY = false } = {}) {
    this.stdout = new RecordingStream(stdoutIsTTY);
    this.stderr = new RecordingStream(stderrIsTTY);
  }

  input = new Uint8Array(0);

  now = (): number => this.nowMs;

  readInput = async (): Promise<Uint8Array> => this.input;

  onInterrupt(handler: (signal: InterruptSignal) => void): () => void {
    this.handlers.add(handler);
    return () => this.handlers.delete(handler);
  }

  /** Those that listen to the terminal now. */
  readonly terminal = new Set<TerminalHandlers>();

  onTerminal(handlers: TerminalHandlers): () => void {
    this.terminal.add(handlers);
    return () => this.terminal.delete(handlers);
  }

  onOutputLost(handler: (name: OutputName, reason: string) => void): () => void {
    this.lostHandlers.add(handler);
    return () => this.lostHandlers.delete(handler);
  }

  exit(code: number): void {
    this.exitCodes.push(code);
  }

  /** What a Ctrl-C does. Returns how many listened. */
  interrupt(signal: InterruptSignal = 'SIGINT'): number {
    for (const handler of this.handlers) handler(signal);
    return this.handlers.size;
  }

  /** What a reader that goes away does. */
  loseOutput(name: OutputName, reason = 'EPIPE: its reader has gone'): void {
    for (const handler of this.lostHandlers) handler(name, reason);
  }
}
