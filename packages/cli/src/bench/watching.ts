/**
 * `lockstep bench watching`: what it costs a run to be watched by everything at once. Two runs of the same model, one of
 * them watched, each in a process of its own; one is stopped (SIGSTOP) while the other is measured, slice by slice, so that
 * a slow minute of the machine meets both and nothing of one takes time from the other.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LockstepError, type ModelSpec, type Recipe } from '@lockstep/core';
import { formatTable } from '../text-table.js';
import { formatRate } from './speed-table.js';
import { type Spread, summarizeValues } from './statistics.js';
import { type Crowd, crowds, gather } from './viewer-crowd.js';

/** What such a process is told. */
export interface WatchedTask {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly data: string | undefined;
  readonly workers: number;
  /** Where what watches writes to; undefined for a run that nobody watches. */
  readonly folder: string | undefined;
}

/** What it says: where its page is, once; then how far it is. */
export type WatchedNote = { readonly page: string } | StepNote;

interface StepNote {
  readonly step: number;
  readonly atMs: number;
  /** CPU time so far of the threads that don't compute; undefined where the system does not tell. */
  readonly besideMs: number | undefined;
}

/** One slice of one run. */
export interface WatchedSample {
  readonly imagesPerSecond: number;
  /** CPU time of the threads that don't compute, as a share of one core; undefined where the system does not tell. */
  readonly beside: number | undefined;
}

export interface WatchingFigures {
  readonly model: string;
  readonly crowd: Crowd;
  readonly plainImagesPerSecond: Spread;
  readonly watchedImagesPerSecond: Spread;
  /** Longer that a watched step takes, as a share of one that is not; of each pair of slices by itself. */
  readonly cost: Spread;
  /**
   * Of one core's time what the threads that don't compute take for it: even on a machine whose every core computes, steps
   * cannot become longer by more. Other programs on the machine change it far less than `cost`.
   */
  readonly beside: Spread | undefined;
}

export interface WatchingOptions {
  /** Of a slice. */
  readonly seconds: number;
  /** Pairs of slices. */
  readonly repetitions: number;
}

/** What of a slice is left out: a process that goes on needs a moment. */
const SETTLING_MS = 200;

export interface SamplePair {
  readonly plain: WatchedSample;
  readonly watched: WatchedSample;
}

export function summarizeWatching(pairs: readonly SamplePair[]): Omit<WatchingFigures, 'model' | 'crowd'> {
  return {
    plainImagesPerSecond: summarizeValues(pairs.map(({ plain }) => plain.imagesPerSecond)),
    watchedImagesPerSecond: summarizeValues(pairs.map(({ watched }) => watched.imagesPerSecond)),
    cost: summarizeValues(pairs.map(({ plain, watched }) => plain.imagesPerSecond / watched.imagesPerSecond - 1)),
    beside: summarizeBeside(pairs),
  };
}

function summarizeBeside(pairs: readonly SamplePair[]): Spread | undefined {
  const shares = pairs.flatMap(({ plain: { beside: own }, watched: { beside } }) =>
    own === undefined || beside === undefined ? [] : [beside - own],
  );
  return shares.length > 0 ? summarizeValues(shares) : undefined;
}

/** Measures one model, with each kind of crowd before its page. */
export async function measureWatching(
  task: Omit<WatchedTask, 'folder'>,
  { seconds, repetitions }: WatchingOptions,
): Promise<WatchingFigures[]> {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-watching-'));
  const plain = new MeasuredRun({ ...task, folder: undefined });
  const watched = new MeasuredRun({ ...task, folder });
  try {
    for (const run of [plain, watched]) await run.start();
    const figures: WatchingFigures[] = [];
    for (const crowd of crowds) {
      watched.resume();
      const viewers = await gather(crowd, await watched.page);
      watched.hold();
      const pairs: SamplePair[] = [];
      for (let i = 0; i < repetitions; i++) {
        const first = i % 2 === 0 ? plain : watched;
        const second = first === plain ? watched : plain;
        const samples = [await first.measure(seconds), await second.measure(seconds)] as const;
        const [own, other] = first === plain ? samples : [samples[1], samples[0]];
        pairs.push({ plain: own, watched: other });
      }
      viewers.leave();
      figures.push({ model: task.model.name, crowd, ...summarizeWatching(pairs) });
    }
    return figures;
  } finally {
    for (const run of [plain, watched]) run.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

class MeasuredRun {
  readonly #child: ChildProcess;
  readonly #batchSize: number;
  readonly #ended: Promise<never>;
  readonly page: Promise<string>;
  #notes: StepNote[] = [];

  constructor(private readonly task: WatchedTask) {
    this.#batchSize = task.recipe.batchSize;
    this.#child = fork(fileURLToPath(new URL('./watched-process.js', import.meta.url)), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // V8 takes a held process for an idle one, and tidies its memory up when it goes on
      execArgv: ['--no-memory-reducer'],
    });
    this.page = new Promise((resolve) => {
      this.#child.on('message', (note: WatchedNote) => ('page' in note ? resolve(note.page) : this.#notes.push(note)));
    });
    this.#ended = once(this.#child, 'close').then(([code]) => {
      const text = `the process that trains ${task.model.name} ended with code ${code}. Its own message stands above.`;
      throw new LockstepError('LOCKSTEP_BENCH_PROCESS', text);
    });
    this.#ended.catch(() => {});
  }

  /** Resolves when steps are going; then it is held. */
  async start(): Promise<void> {
    this.#child.send(this.task);
    while (!this.#notes.some(({ step }) => step > 0)) await this.#wait(50);
    await this.#wait(2000);
    this.hold();
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  hold(): void {
    this.#child.kill('SIGSTOP');
  }

  /** Goes on for so many seconds. */
  async measure(seconds: number): Promise<WatchedSample> {
    this.resume();
    await this.#wait(SETTLING_MS);
    this.#notes = [];
    await this.#wait(1000 * seconds);
    const [first, last] = [this.#notes[0], this.#notes.at(-1)];
    this.hold();
    if (!first || !last || last.step === first.step) {
      const text = `${seconds} s are too short to see ${this.task.model.name} take steps. Give more --seconds.`;
      throw new LockstepError('LOCKSTEP_CLI_OPTION', text);
    }
    const took = last.atMs - first.atMs;
    const isTold = last.besideMs !== undefined && first.besideMs !== undefined;
    return {
      imagesPerSecond: (1000 * this.#batchSize * (last.step - first.step)) / took,
      beside: isTold ? (last.besideMs - first.besideMs) / took : undefined,
    };
  }

  async #wait(ms: number): Promise<void> {
    await Promise.race([delay(ms), this.#ended]);
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}

const formatCost = (share: number): string => `${(100 * share).toFixed(2)}%`;

/** One line per model and crowd. */
export function formatWatching(figures: readonly WatchingFigures[]): string[] {
  const rows = figures.map(({ model, crowd, plainImagesPerSecond, watchedImagesPerSecond, cost, beside }) => [
    model,
    crowd,
    formatRate(plainImagesPerSecond.median),
    formatRate(watchedImagesPerSecond.median),
    formatCost(cost.median),
    `(${formatCost(cost.min)} to ${formatCost(cost.max)})`,
    beside ? formatCost(beside.median) : '',
    beside ? `(${formatCost(beside.min)} to ${formatCost(beside.max)})` : '',
    formatAdded(beside, figures.find((one) => one.model === model && one.crowd === 'nobody')?.beside),
  ]);
  const headings = [
    'Model',
    'Before the page',
    'Images/s',
    'Watched',
    'Cost',
    '(min to max)',
    'Of a core',
    '(min to max)',
    'By the crowd',
  ];
  return formatTable([headings, ...rows], 'llrrrlrlr');
}

/** What a crowd takes beyond a run with a page that nobody looks at. */
const formatAdded = (beside: Spread | undefined, nobody: Spread | undefined): string =>
  beside && nobody && beside !== nobody ? formatCost(beside.median - nobody.median) : '';
