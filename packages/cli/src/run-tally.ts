/** What is remembered of a run for its last lines. */
import type { AverageEvaluation, EndEvent, EpochEvent, RunEvent, StartEvent } from '@lockstep/core';
import { formatDuration, formatPercent } from './progress.js';

export class RunTally {
  private start: StartEvent | undefined;
  private best: EpochEvent | undefined;
  private trainSeconds = 0;
  private trainImages = 0;
  end: EndEvent | undefined;

  add(event: RunEvent): void {
    if (event.event === 'start') this.start = event;
    if (event.event === 'end') this.end = event;
    if (event.event !== 'epoch') return;
    if (this.best === undefined || event.testAccuracy > this.best.testAccuracy) this.best = event;
    this.trainSeconds += event.seconds;
    this.trainImages += event.seconds * event.imagesPerSecond;
  }

  get model(): string {
    return this.start?.model ?? '';
  }

  get stepsPerEpoch(): number {
    return this.start?.stepsPerEpoch ?? 0;
  }

  /** Whether the run ended inside an epoch, so that its last evaluation belongs to no epoch. */
  get isBetweenEpochs(): boolean {
    return this.end !== undefined && (this.end.epochs === 0 || this.end.steps !== this.end.epochs * this.stepsPerEpoch);
  }

  /** Mean over the completed epochs; undefined before the first. */
  get imagesPerSecond(): number | undefined {
    return this.trainSeconds > 0 ? this.trainImages / this.trainSeconds : undefined;
  }

  /** The epoch with the highest test accuracy, the first of equals. */
  get bestEpoch(): EpochEvent | undefined {
    return this.best;
  }
}

/** The result of a run in two to four lines; quiet: its accuracy alone. */
export function formatSummaryLines(tally: RunTally, isQuiet: boolean): string[] {
  const { end } = tally;
  if (end === undefined) return [];
  const accuracy = `Test accuracy: ${formatScore(end)}`;
  if (isQuiet) return [accuracy];
  const { bestEpoch, imagesPerSecond } = tally;
  const speed = imagesPerSecond === undefined ? '' : `, ${Math.round(imagesPerSecond)} images/s`;
  const best = bestEpoch === undefined ? '' : `, best ${formatScore(bestEpoch)} in epoch ${bestEpoch.epoch}`;
  return [
    `${REASONS[end.reason]} ${tally.model}: ${count(end.epochs, 'epoch')}, ${count(end.steps, 'step')} in ${formatDuration(end.seconds)}${speed}`,
    `Parameters SHA-256: ${end.parametersSha256}`,
    ...(end.ema ? [`Moving average: ${formatScore(end.ema)}`] : []),
    `${accuracy}${best}`,
  ];
}

const REASONS: Readonly<Record<EndEvent['reason'], string>> = {
  completed: 'Trained',
  steps: 'Stopped after --steps:',
  until: 'Reached --until:',
  patience: 'Stopped by --patience:',
  interrupted: 'Interrupted:',
};

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

const formatScore = ({ testCorrect, testTotal, testAccuracy }: AverageEvaluation): string =>
  `${testCorrect}/${testTotal} (${formatPercent(testAccuracy)}%)`;
