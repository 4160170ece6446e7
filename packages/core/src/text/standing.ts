/** What a run has come to: the numbers that the terminal, the page and the report show, in the same words. */

import type { EndEvent, EpochEvent, Evaluation } from '../events/events.js';
import type { DoubtedSteps, StepSpan } from '../events/node-events.js';
import { countOf } from './count-text.js';
import { describeDoubted, describeUnaudited } from './node-text.js';
import { formatDuration, formatScore, formatSpeed } from './number-text.js';

/** What is known of a run that has ended. */
export interface Course {
  readonly model: string;
  /** Those with an evaluation, of the resumed run among them. */
  readonly epochs: readonly EpochEvent[];
  /** Epochs completed. */
  readonly epochCount: number;
  /** Steps committed. */
  readonly steps: number;
  readonly seconds: number;
  readonly end: Ending;
}

/** How it ended, and what it had learned then. */
export interface Ending {
  readonly reason: EndEvent['reason'];
  readonly test: Evaluation;
  readonly validation?: Evaluation;
  /** The moving average of the state, on the test set. */
  readonly average?: Evaluation;
  readonly parametersSha256: string;
  /** Steps that hold sums of nodes which were found lying; not in what was recorded by earlier versions. */
  readonly doubted?: readonly DoubtedSteps[];
  /** Steps that hold sums of other nodes which an audit by chance passed over. */
  readonly unaudited?: StepSpan;
}

export function endingOf(event: EndEvent): Ending {
  const { reason, validation, ema, parametersSha256, doubted, unaudited } = event;
  return {
    reason,
    test: testOf(event),
    ...(validation && { validation }),
    ...(ema && { average: testOf(ema) }),
    parametersSha256,
    ...(doubted && { doubted }),
    ...(unaudited && { unaudited }),
  };
}

type Tested = Pick<EpochEvent, 'testLoss' | 'testAccuracy' | 'testCorrect' | 'testTotal'>;

const testOf = ({ testLoss, testAccuracy, testCorrect, testTotal }: Tested): Evaluation => ({
  loss: testLoss,
  accuracy: testAccuracy,
  correct: testCorrect,
  total: testTotal,
});

/** The newest evaluation on the test set: of the run's end, or of its last epoch. */
export function newestTest(epochs: readonly EpochEvent[], end: Ending | undefined): Evaluation | undefined {
  const last = epochs.at(-1);
  return end?.test ?? (last && testOf(last));
}

/** The epoch with the highest test accuracy, the first of equals. */
export const bestEpoch = (epochs: readonly EpochEvent[]): EpochEvent | undefined =>
  epochs.reduce<EpochEvent | undefined>(
    (best, epoch) => (best !== undefined && best.testAccuracy >= epoch.testAccuracy ? best : epoch),
    undefined,
  );

/** Images per second of training, mean over completed epochs; undefined before the first. */
export function meanSpeed(epochs: readonly EpochEvent[]): number | undefined {
  const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const images = epochs.reduce((sum, epoch) => sum + epoch.seconds * epoch.imagesPerSecond, 0);
  return seconds > 0 ? images / seconds : undefined;
}

/**
 * `9810/10000 (98.10%), best 9871/10000 (98.71%) in epoch 1`. A run that ends inside an epoch may end better than any whole
 * one; the best weights are of a whole one all the same.
 */
export function describeTest(test: Evaluation, epochs: readonly EpochEvent[]): string {
  const best = bestEpoch(epochs);
  if (best === undefined) return formatScore(test);
  const name = test.accuracy > best.testAccuracy ? 'best of whole epochs' : 'best';
  return `${formatScore(test)}, ${name} ${formatScore(testOf(best))} in epoch ${best.epoch}`;
}

/** `Interrupted: net19k: 1 epoch, 500 steps in 31.2 s, 4016 images/s`. */
export function describeEnding({ model, epochs, epochCount, steps, seconds, end }: Course): string {
  const speed = meanSpeed(epochs);
  const done = `${countOf(epochCount, 'epoch')}, ${countOf(steps, 'step')} in ${formatDuration(seconds)}`;
  return `${REASONS[end.reason]} ${model}: ${done}${speed === undefined ? '' : `, ${formatSpeed(speed)}`}`;
}

/** The result of a run, by name: what follows `describeEnding`. */
export const listResults = ({ epochs, end }: Pick<Course, 'epochs' | 'end'>): [name: string, value: string][] => [
  ['Parameters SHA-256', end.parametersSha256],
  ...(end.average ? ([['Moving average', formatScore(end.average)]] as [string, string][]) : []),
  ...(end.validation ? ([['Validation accuracy', formatScore(end.validation)]] as [string, string][]) : []),
  ...(end.doubted ? ([['In doubt', describeDoubted(end.doubted)]] as [string, string][]) : []),
  ...(end.unaudited ? ([['Not all audited', describeUnaudited(end.unaudited)]] as [string, string][]) : []),
  ['Test accuracy', describeTest(end.test, epochs)],
];

const REASONS: Readonly<Record<EndEvent['reason'], string>> = {
  completed: 'Trained',
  steps: 'Stopped after --steps:',
  until: 'Reached --until:',
  patience: 'Stopped by --patience:',
  stopped: 'Stopped on request:',
  interrupted: 'Interrupted:',
};

/** A run that has ended, in a word. */
export const nameOfEnd = ({ reason }: Pick<Ending, 'reason'>): 'Finished' | 'Stopped' | 'Interrupted' =>
  reason === 'interrupted' ? 'Interrupted' : reason === 'stopped' ? 'Stopped' : 'Finished';
