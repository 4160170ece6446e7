/**
 * `lockstep bench watching`: what it costs a run to be watched by everything at once. Two runs of the same model, one of
 * them watched, are measured in turn.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixed } from '@lockstep/core/text';
import { formatTable } from '../../terminal/text-table.js';
import { cleanUpAtExit } from '../measure-each.js';
import { MeasuredRun, type RunTask, type Slice } from './measure/measured-run.js';
import { formatRate } from './measure/rate-text.js';
import { type Spread, summarizeValues } from './measure/statistics.js';
import { type Crowd, crowds, gather } from './viewer-crowd.js';

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

/** Before the first slice. */
const WARM_SECONDS = 2;

export interface SamplePair {
  readonly plain: Slice;
  readonly watched: Slice;
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
  task: Omit<RunTask, 'folder'>,
  { seconds, repetitions }: WatchingOptions,
): Promise<WatchingFigures[]> {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-watching-'));
  const removeFolder = cleanUpAtExit(() => rmSync(folder, { recursive: true, force: true }));
  const plain = new MeasuredRun(task);
  const watched = new MeasuredRun({ ...task, folder });
  try {
    for (const run of [plain, watched]) await run.start(WARM_SECONDS);
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
    removeFolder();
  }
}

const formatCost = (share: number): string => `${fixed(100 * share, 2)}%`;

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
