/**
 * A run in a process of its own that is held (SIGSTOP) except while it is measured, slice by slice: so several runs can be
 * measured in turn, a slow minute of the machine meets all of them, and nothing of one takes time from another.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Topology } from '@lockstep/coordinator/steps';
import { LockstepError } from '@lockstep/core/errors';
import type { NodeShare } from '@lockstep/core/events';
import type { ModelSpec, Recipe } from '@lockstep/core/spec';
import { cleanUpAtExit } from '../../measure-each.js';
import { median } from './statistics.js';

/** What the process (run-process.ts) is told. */
export interface RunTask {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly data: string | undefined;
  readonly workers: number;
  /** Where everything that can watch a run writes to; undefined for a run that nobody watches. */
  readonly folder?: string | undefined;
  /** For a run that nodes take part in, which is evaluated nowhere. */
  readonly cluster?: {
    readonly host: string;
    readonly topology: Topology;
    readonly nodes: number;
    readonly token: string;
  };
}

/** What it says: where its page is and where nodes connect, once; then how far it is. */
export type RunNote = { readonly page: string } | { readonly url: string } | StepNote;

interface StepNote {
  readonly step: number;
  readonly atMs: number;
  /** CPU time so far of the threads that don't compute; undefined where the system does not tell. */
  readonly besideMs: number | undefined;
  readonly nodes: readonly NodeShare[] | undefined;
}

/** One slice of a run. */
export interface Slice {
  readonly stepMs: number;
  readonly imagesPerSecond: number;
  /** CPU time of the threads that don't compute, as a share of one core; undefined where the system does not tell. */
  readonly beside: number | undefined;
  /** Of a step; NaN where they are not counted. */
  readonly bytes: number;
  /** Their times are means over some steps, into which a pause goes. */
  readonly nodes: readonly NodeShare[];
}

/** What of a slice is left out: a process that goes on needs a moment. */
const SETTLING_MS = 200;
/** A run tells four times a second how far it is. */
const LEAST_SLICE_MS = 600;
const LEAST_STEADY_MS = 1500;
/** A slice goes on until it has so many steps, for so long at the most: slow ones are seen late by up to a report. */
const LEAST_STEPS = 8;
const MORE_MS = 250;
const MOST_MORE_MS = 30_000;
/** Nobody is late for having been held. */
const PATIENT = { LOCKSTEP_SILENCE_MS: '3600000', LOCKSTEP_NODE_DEADLINE_MS: '3600000' };
/** The environment of such a process, and of nodes beside it. */
export const heldEnvironment = (): NodeJS.ProcessEnv => ({ ...process.env, ...PATIENT });

export class MeasuredRun {
  readonly page: Promise<string>;
  /** Where nodes connect. */
  readonly url: Promise<string>;
  readonly #child: ChildProcess;
  /** Rejects when the process ends. */
  readonly failure: Promise<never>;
  readonly #others: ChildProcess[] = [];
  #notes: (StepNote & { readonly bytes: number })[] = [];

  /** @param countBytes so far, of what the run's nodes say to each other */
  constructor(
    private readonly task: RunTask,
    countBytes: () => number = () => Number.NaN,
  ) {
    this.#child = fork(fileURLToPath(new URL('./run-process.js', import.meta.url)), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: heldEnvironment(),
      // V8 takes a held process for an idle one, and tidies its memory up when it goes on
      execArgv: ['--no-memory-reducer'],
    });
    const said = <K extends string>(key: K): Promise<string> =>
      new Promise((resolve) => {
        this.#child.on('message', (note: Record<K, string>) => key in note && resolve(note[key]));
      });
    this.page = said('page');
    this.url = said('url');
    this.#child.on('message', (note: RunNote) => 'step' in note && this.#notes.push({ ...note, bytes: countBytes() }));
    this.failure = once(this.#child, 'close').then(([code]) => {
      const text = `the process that trains ${task.model.name} ended with code ${code}. Its own message stands above.`;
      throw new LockstepError('LOCKSTEP_BENCH_PROCESS', text);
    });
    this.failure.catch(() => {});
    this.#child.send(task);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Another process that takes part in it: held and ended with it, and not to end before. */
  add(other: ChildProcess): void {
    this.#others.push(other);
    other.once('exit', () => this.#child.kill('SIGKILL'));
  }

  /** Resolves when steps have been going for so many seconds, and it is held. */
  async start(warmSeconds: number): Promise<void> {
    await this.#warmUp(warmSeconds);
    this.hold();
  }

  /** The same, and measures the second half of these seconds. */
  async startSteady(warmSeconds: number): Promise<Slice> {
    await this.#warmUp(warmSeconds / 2);
    return this.#slice(Math.max(LEAST_STEADY_MS, 500 * warmSeconds));
  }

  async #warmUp(seconds: number): Promise<void> {
    while (!this.#notes.some(({ step }) => step > 0)) await this.#wait(50);
    await this.#wait(1000 * seconds);
  }

  resume(): void {
    for (const child of [...this.#others, this.#child]) child.kill('SIGCONT');
  }

  hold(): void {
    for (const child of [this.#child, ...this.#others]) child.kill('SIGSTOP');
  }

  /** Goes on for so many seconds. */
  async measure(seconds: number): Promise<Slice> {
    this.resume();
    await this.#wait(SETTLING_MS);
    return this.#slice(Math.max(LEAST_SLICE_MS, 1000 * seconds));
  }

  async #slice(ms: number): Promise<Slice> {
    this.#notes = [];
    await this.#wait(ms);
    const steps = (): number => (this.#notes.at(-1)?.step ?? 0) - (this.#notes[0]?.step ?? 0);
    for (let more = 0; more < MOST_MORE_MS && steps() < LEAST_STEPS; more += MORE_MS) await this.#wait(MORE_MS);
    const [first, last] = [this.#notes[0], this.#notes.at(-1)];
    this.hold();
    if (!first || !last || last.step === first.step) {
      const text = `${ms / 1000} s are too short to see ${this.task.model.name} take steps. Give more --seconds.`;
      throw new LockstepError('LOCKSTEP_CLI_OPTION', text);
    }
    const took = last.atMs - first.atMs;
    const stepMs = took / steps();
    const isTold = last.besideMs !== undefined && first.besideMs !== undefined;
    return {
      stepMs,
      imagesPerSecond: (1000 * this.task.recipe.batchSize) / stepMs,
      beside: isTold ? (last.besideMs - first.besideMs) / took : undefined,
      bytes: (last.bytes - first.bytes) / steps(),
      nodes: summarizeNodes(this.#notes.flatMap(({ nodes }) => (nodes ? [nodes] : []))),
    };
  }

  async #wait(ms: number): Promise<void> {
    await Promise.race([delay(ms), this.failure]);
  }

  /** Also when the process exits: one that is held hears of nothing else. */
  readonly end = cleanUpAtExit(() => {
    for (const child of [...this.#others, this.#child]) {
      child.removeAllListeners('exit');
      child.kill('SIGKILL');
    }
  });
}

/** What was told of each node, in the middle. */
function summarizeNodes(notes: readonly (readonly NodeShare[])[]): NodeShare[] {
  return (notes.at(-1) ?? []).map((last) => {
    const told = notes.flatMap(
      (nodes) => nodes.find(({ node, shards }) => node === last.node && shards === last.shards) ?? [],
    );
    const middle = (pick: (share: NodeShare) => number): number => median(told.map(pick));
    return {
      ...last,
      imagesPerSecond: middle((one) => one.imagesPerSecond),
      exchangeMs: middle((one) => one.exchangeMs),
    };
  });
}
