/** What the page and the report show of a chronicle, put into words once for both. */

import type { Evaluation } from '@lockstep/core/events';
import {
  bestEpoch,
  countOf,
  describeEnding,
  describeTest,
  formatCount,
  formatCountOf,
  formatDuration,
  formatLoss,
  formatPercent,
  formatRate,
  listResults,
  meanSpeed,
  nameOfEnd,
  newestTest,
} from '@lockstep/core/text';
import type { About, Chronicle, Status } from './chronicle.js';

/** A chronicle of which not all has come. */
export type KnownChronicle = { readonly [S in keyof Chronicle]?: Chronicle[S] | undefined };

/** Name and value. */
export type Fact = readonly [name: string, value: string];

const PHASES: Readonly<Record<Exclude<Status['phase'], 'ended'>, string>> = {
  starting: 'Starting',
  training: 'Training',
  evaluating: 'Evaluating',
  paused: 'Paused',
  waiting: 'Waiting for nodes',
  failed: 'Failed',
};

/** A word for where the run is. */
export const nameOfPhase = ({ phase, end }: Status): string =>
  phase === 'ended' ? (end ? nameOfEnd(end) : 'Finished') : PHASES[phase];

/** The numbers of now: of the epoch under way and of the newest evaluation; undefined before there is one. */
export interface Now {
  /** Means over the epoch so far. */
  readonly trainLoss: number | undefined;
  readonly trainAccuracy: number | undefined;
  readonly test: Evaluation | undefined;
  /** Of a run that has ended the mean over its epochs, else that of the last moments. */
  readonly imagesPerSecond: number | undefined;
}

export function readNow({ status, epochs = [] }: Pick<KnownChronicle, 'status' | 'epochs'>): Now {
  const { trainLoss, accuracy, imagesPerSecond, epoch = 0, end } = status ?? {};
  const mean = end && meanSpeed(epochs);
  return {
    trainLoss: epoch > 0 ? trainLoss : undefined,
    trainAccuracy: epoch > 0 ? accuracy : undefined,
    test: newestTest(epochs, end),
    imagesPerSecond: mean ?? (imagesPerSecond === 0 ? undefined : imagesPerSecond),
  };
}

/** How the run ended, in one sentence, and its results by name; undefined while it runs. */
export function describeResult({ about, status, epochs = [] }: KnownChronicle) {
  const { end, failure, committed = 0, seconds = 0 } = status ?? {};
  if (failure !== undefined) return { ending: failure, results: describeBest(epochs) };
  if (end === undefined) return undefined;
  const epochCount = about ? Math.floor(committed / about.stepsPerEpoch) : epochs.length;
  const course = { model: about?.model ?? 'a model', epochs, epochCount, steps: committed, seconds, end };
  return { ending: describeEnding(course), results: listResults(course) };
}

/** Of a run that failed: the last evaluation that it came to. */
function describeBest(epochs: Chronicle['epochs']): Fact[] {
  const test = newestTest(epochs, undefined);
  return test ? [['Test accuracy', describeTest(test, epochs)]] : [];
}

/** `2 epochs`, `62 steps`, `2 epochs and 62 steps`. @param steps of the epoch that is not complete */
export function describeMoment({ epoch, steps = 0 }: { readonly epoch: number; readonly steps?: number }): string {
  if (steps === 0) return countOf(epoch, 'epoch');
  return `${epoch > 0 ? `${countOf(epoch, 'epoch')} and ` : ''}${countOf(steps, 'step')}`;
}

/** A table of the epochs, in their order. */
export interface EpochTable {
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Row of the best epoch. */
  readonly best: number;
  /** Column of what makes it the best. */
  readonly bestColumn: number;
}

type Epoch = Chronicle['epochs'][number];
type Column = readonly [name: string, write: (epoch: Epoch) => string];

export function tabulateEpochs(epochs: readonly Epoch[]): EpochTable {
  const hasValidation = epochs.some(({ validation }) => validation !== undefined);
  const validation: Column = ['Validation accuracy', ({ validation: of }) => percentOf(of?.accuracy)];
  const columns: readonly Column[] = [
    ['Epoch', ({ epoch }) => String(epoch)],
    ['Rate', ({ learningRate }) => formatRate(learningRate)],
    ['Training loss', ({ trainLoss }) => formatLoss(trainLoss)],
    ['Training accuracy', ({ trainAccuracy }) => percentOf(trainAccuracy)],
    ...(hasValidation ? [validation] : []),
    ['Test loss', ({ testLoss }) => formatLoss(testLoss)],
    ['Test accuracy', ({ testAccuracy }) => percentOf(testAccuracy)],
    ['Images/s', ({ imagesPerSecond }) => formatCount(Math.round(imagesPerSecond))],
    ['Time', ({ seconds }) => formatDuration(seconds)],
  ];
  const best = bestEpoch(epochs);
  return {
    headings: columns.map(([name]) => name),
    rows: epochs.map((epoch) => columns.map(([, write]) => write(epoch))),
    best: best ? epochs.indexOf(best) : -1,
    bestColumn: columns.findIndex(([name]) => name === 'Test accuracy'),
  };
}

/** `98.10%`. */
export const percentOf = (fraction: number | undefined): string =>
  fraction === undefined ? '–' : `${formatPercent(fraction)}%`;

/** What was run: model, data, recipe. */
export const listFacts = (about: About): Fact[] => [
  ['model', `${about.model}, ${formatCountOf(about.parameters, 'parameter')}`],
  ['data', about.data],
  ['images', listImages(about)],
  ['seed', String(about.seed)],
  ['engine', `${about.engine}, ${countOf(about.workers, 'worker')}`],
  ...flatten(about.recipe),
];

const listImages = ({ trainSamples, validationSamples, testSamples }: About): string =>
  [
    `${formatCount(trainSamples)} training`,
    ...(validationSamples > 0 ? [`${formatCount(validationSamples)} validation`] : []),
    `${formatCount(testSamples)} test`,
  ].join(', ');

/** `learningRate` becomes `learning rate`; nested fields become `optimizer momentum`. */
export function flatten(values: object, prefix = ''): Fact[] {
  return Object.entries(values).flatMap(([key, value]): Fact[] => {
    const name =
      key === 'type' ? prefix.trimEnd() : `${prefix}${key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`;
    if (Array.isArray(value)) return [[name, value.join(', ')]];
    if (typeof value === 'object' && value !== null) return flatten(value, `${name} `);
    return [[name, typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)]];
  });
}
