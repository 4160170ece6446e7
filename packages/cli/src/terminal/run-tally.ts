/** What is remembered of a run for its last lines. */

import type { EndEvent, EpochEvent, RunEvent, StartEvent } from '@lockstep/core/events';
import { followEpochs } from '@lockstep/core/events';
import { describeEnding, endingOf, listResults } from '@lockstep/core/text';

export class RunTally {
  private start: StartEvent | undefined;
  readonly epochs: EpochEvent[];
  end: EndEvent | undefined;

  /** @param history epochs of the run that is resumed */
  constructor(history: readonly EpochEvent[] = []) {
    this.epochs = [...history];
  }

  add(event: RunEvent): void {
    if (event.event === 'start') this.start = event;
    if (event.event === 'end') this.end = event;
    followEpochs(this.epochs, event);
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
}

/** The result of a run in a few lines; quiet: its accuracy alone. */
export function formatSummaryLines({ end, model, epochs }: RunTally, isQuiet: boolean): string[] {
  if (end === undefined) return [];
  const { epochs: epochCount, steps, seconds } = end;
  const course = { model, epochs: isQuiet ? [] : epochs, epochCount, steps, seconds, end: endingOf(end) };
  const results = listResults(course).map(([name, value]) => `${name}: ${value}`);
  return isQuiet ? results.slice(-1) : [describeEnding(course), ...results];
}
