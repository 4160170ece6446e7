/**
 * What a run does that comes to numbers which are not finite, before it is taken for one that has diverged: sums of another
 * node may have been finite and wrong, and led there. It goes back to a state from before them, and the keeper computes all
 * sums of others again until the run is past that point. It has diverged where the same comes again.
 *
 * With --audit there is always such a state; else there is that of the last comparison, and what is older is only told.
 */

import type { StepSpan } from '@lockstep/core/events';
import { describeUnaudited } from '@lockstep/core/text';

/** After the point where it came to such numbers, so many steps more are watched the first time, each time twice as many. */
const WATCHED = 16;

export class Retracing {
  /** Of the steps that stand, the first and the last with sums that the keeper has not computed. */
  #first: number | undefined;
  #last = 0;
  #watchedUntil = 0;
  #watched = WATCHED;

  get firstStep(): number | undefined {
    return this.#first;
  }

  /** Steps with such sums, and between them. */
  get span(): StepSpan | undefined {
    return this.#first === undefined ? undefined : { firstStep: this.#first, endStep: this.#last + 1 };
  }

  /** Whether the keeper computes all sums of others again in this step. */
  isWatched(step: number): boolean {
    return step < this.#watchedUntil;
  }

  /** @param isConfirmed whether the keeper has computed all sums of the step */
  noteStep(step: number, isConfirmed: boolean): void {
    if (isConfirmed) return;
    this.#first ??= step;
    this.#last = step;
  }

  /** The steps from this one on are computed again. */
  rewind(step: number): void {
    this.#last = Math.min(this.#last, step - 1);
    if (this.#first !== undefined && this.#first >= step) this.#first = undefined;
  }

  /**
   * Goes back, if there is anything to be computed again.
   *
   * @param from steps committed
   * @param step of the state to go back to
   */
  begin(from: number, step: number): boolean {
    if (this.#first === undefined || this.#last < step) return false;
    this.#watchedUntil = from + this.#watched;
    this.#watched *= 2;
    return true;
  }

  /** For people, behind what has come to such numbers: what it may have come from. */
  describeRest(): string {
    const { span } = this;
    return span === undefined ? '' : `; ${describeUnaudited(span)} (with --audit they are)`;
  }
}
