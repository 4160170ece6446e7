/** A run of its own, whose end is looked at: what is there before it, how it is started, what is there after it. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findCheckpoint } from '../../packages/core/dist/state/index.js';
import { BIN, writeBars } from '../support/digit-bars.js';

export const ROOT = path.resolve(import.meta.dirname, '../..');

/** What the table of docs/checkpoints.md says of one way to end. */
export interface Row {
  readonly what: string;
  readonly code: string;
  readonly weights: string;
  readonly checkpoint: string;
}

export const STEPS_PER_EPOCH = 5;
/** Of a run that comes to its end. */
export const EPOCHS = 40;
/** Steps between two checkpoints. */
export const EVERY = 7;
export const ENDLESS = 1_000_000;
/** What is at the place of the weights before the run. */
export const BEFORE = 'weights of another run';

/** A run in a folder of its own, with everything that it says in files. */
export class Place {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'lockstep-ending-'));
  weights = path.join(this.folder, 'w.safetensors');
  /** Where weights go that have no room. */
  cache: string | undefined;
  readonly model = writeBars(this.folder, 64 * STEPS_PER_EPOCH, 60);
  checkpoints = path.join(this.folder, 'ck');
  readonly #children: ChildProcess[] = [];

  constructor() {
    writeFileSync(this.weights, BEFORE);
  }

  file(name: string): string {
    return path.join(this.folder, name);
  }

  read(name: string): string {
    return existsSync(this.file(name)) ? readFileSync(this.file(name), 'utf8') : '';
  }

  train(epochs: number, ...more: string[]): string[] {
    const out = ['--save', this.weights, '--checkpoint', this.checkpoints, '--every', `${EVERY} steps`];
    const run = ['--data', this.folder, '--workers', '1', '--json', '--epochs', String(epochs)];
    return ['train', this.model, ...run, ...out, ...more];
  }

  /** The same as a line of sh. */
  trainLine(epochs: number, ...more: string[]): string {
    return [process.execPath, BIN, ...this.train(epochs, ...more)].map((word) => `'${word}'`).join(' ');
  }

  /** Starts a program, stdout and stderr to files; resolves with its exit code as a shell gives it. */
  start(file: string, args: readonly string[], env: Record<string, string> = {}) {
    const streams = ['out', 'err'].map((name) => openSync(this.file(name), 'w'));
    const child = spawn(file, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', ...streams] as ['ignore', number, number],
      // a group of its own, so that a signal can be sent to all of it
      detached: true,
    });
    for (const stream of streams) closeSync(stream);
    this.#children.push(child);
    const code = new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (exit, signal) => resolve(exit ?? (signal === 'SIGKILL' ? 137 : 128)));
    });
    return { child, code };
  }

  startRun(argv: readonly string[], env: Record<string, string> = {}) {
    return this.start(process.execPath, [BIN, ...argv], env);
  }

  /** Resolves when a file has a text in it. */
  async has(name: string, text: string): Promise<void> {
    const deadline = performance.now() + 60_000 * Number(process.env['LOCKSTEP_TEST_PATIENCE'] ?? 1);
    while (!this.read(name).includes(text)) {
      if (performance.now() > deadline) throw new Error(`no ${text} in ${name}: ${this.read('err').slice(-1000)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** What is there after a run, whose last step this is. */
  outcome(code: number, lastStep: number): Omit<Row, 'what'> {
    const { step } = findCheckpoint(this.checkpoints).checkpoint.info;
    const isDue = step > 0 && step % EVERY === 0;
    return {
      code: String(code),
      weights: this.#weights(),
      checkpoint: step === lastStep ? 'of its last step' : isDue ? 'the last that was due' : `step ${step}`,
    };
  }

  #weights(): string {
    const names = readdirSync(path.dirname(this.weights));
    if (this.cache !== undefined && existsSync(this.cache)) return 'in another place';
    if (readFileSync(this.weights).toString() !== BEFORE) return 'written';
    return names.some((name) => /^w-step-\d+\.safetensors$/.test(name)) ? 'as before, its own beside' : 'as before';
  }

  /** That of a run in order, from the last event in a file; what it said must name the way on. */
  outcomeInOrder(code: number, out = 'out'): Omit<Row, 'what'> {
    const end = JSON.parse(this.read(out).trimEnd().split('\n').at(-1) as string);
    const isCut = end.reason === 'interrupted';
    if (isCut && !this.read('err').includes(`train --resume ${this.checkpoints}`)) throw new Error(this.read('err'));
    return this.outcome(code, end.steps);
  }

  remove(): void {
    for (const child of this.#children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
