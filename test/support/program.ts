/** A process of the real CLI, as tests watch it: its events, what it says, how it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** How many times longer a test waits: for a machine that is busy with other things. */
const PATIENCE = Number(process.env['LOCKSTEP_TEST_PATIENCE'] ?? 1);

export type Event = { readonly event: string } & Record<string, unknown>;

export class Program {
  readonly events: Event[] = [];
  stdout = '';
  stderr = '';
  readonly exit: Promise<number>;
  readonly #child: ChildProcess;
  #wake: (() => void)[] = [];

  constructor(command: readonly string[], env: Record<string, string>, cwd?: string) {
    const [file = '', ...args] = command;
    this.#child = spawn(file, args, { env: { ...process.env, ...env }, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#notify();
    });
    this.exit = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        this.#notify();
        resolve(code ?? (signal === null ? -1 : 128));
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The most memory that the process has had, in MiB; undefined where the system does not say (it is Linux that does). */
  get peakMebibytes(): number | undefined {
    if (!existsSync(`/proc/${this.pid}/status`)) return undefined;
    const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) / 1024;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  #read(text: string): void {
    this.stdout += text;
    const lines = this.stdout.split('\n');
    this.stdout = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('{')) this.events.push(JSON.parse(line) as Event);
    this.#notify();
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** Resolves when the condition holds; fails when it does not in time, with what the process said. */
  async until<T>(find: () => T | undefined | false, what: string, timeoutMs = 20_000): Promise<T> {
    const deadline = performance.now() + PATIENCE * timeoutMs;
    for (;;) {
      const found = find();
      if (found !== undefined && found !== false) return found;
      if (performance.now() > deadline || !this.isAlive) {
        const late = find();
        if (late !== undefined && late !== false) return late;
        throw new Error(
          `${what} did not happen.\n${this.events
            .slice(-8)
            .map((e) => JSON.stringify(e))
            .join('\n')}\n${this.stderr.slice(-2000)}`,
        );
      }
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
        setTimeout(resolve, 50);
      });
    }
  }

  event(name: string, timeoutMs?: number, matches: (event: Event) => boolean = () => true): Promise<Event> {
    return this.until(
      () => this.events.find((event) => event.event === name && matches(event)),
      `the event ${name}`,
      timeoutMs,
    );
  }

  async url(timeoutMs?: number): Promise<string> {
    return String((await this.event('listening', timeoutMs))['url']);
  }

  /** The hash of the result. */
  async hash(timeoutMs = 40_000): Promise<string> {
    const end = await this.event('end', timeoutMs);
    return String(end['parametersSha256']);
  }
}
