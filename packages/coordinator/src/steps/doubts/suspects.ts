/**
 * Nodes whose results in a step were not finite numbers. The step is computed again without the first of them, and when the
 * same comes again by the keeper alone: if its result is finite, they were wrong and are sent away; if it is not, the run
 * itself has diverged. So no number of liars ends a run.
 */

import { LockstepError } from '@lockstep/core/errors';
import { stepsPerEpoch } from '@lockstep/core/run';
import { COORDINATOR_ID, divergedError } from '@lockstep/core/seams';
import type { AdmissionTerms } from '../../members/admission.js';

export class Suspects {
  readonly #nodes = new Set<number>();
  /** Named in the attempt that is under way. */
  #named: number[] = [];
  #count = 0;
  /** Whether the keeper alone computed the last of these results. */
  #isKeepers = false;

  /** Begins a step, with nobody under suspicion. */
  clear(): void {
    this.#nodes.clear();
    this.#count = 0;
  }

  /** What was said after the last attempt had ended is about that one. */
  beginAttempt(): void {
    this.#named = [];
  }

  /** Names a node whose sums are not finite; it counts when the attempt has ended. */
  name(node: number): void {
    this.#named.push(node);
  }

  /**
   * Takes the first that was named in the attempt that has ended; what others sent after it came of the same.
   *
   * @param computing who has computed in it
   */
  settle(computing: readonly number[]): void {
    const [first] = this.#named;
    this.#named = [];
    if (first === undefined) return;
    this.#nodes.add(first);
    this.#count += 1;
    this.#isKeepers = computing.every((node) => node === COORDINATOR_ID);
  }

  /** Whether a result that is not finite has come twice in this step, the last time of the keeper alone. */
  get isConfirmed(): boolean {
    return this.#count > 1 && this.#isKeepers;
  }

  /** Who is to compute, of the keeper (if it should) and the other nodes; empty when there is nobody. */
  chooseComputing(others: readonly number[], isKeeperComputing: boolean): number[] {
    const clear = others.filter((id) => !this.#nodes.has(id));
    // what nobody else can confirm, and what others have confirmed, the keeper computes even if it should not
    if ((clear.length === 0 && this.#nodes.size > 0) || this.#count > 1) return [COORDINATOR_ID];
    return isKeeperComputing && !this.#nodes.has(COORDINATOR_ID) ? [COORDINATOR_ID, ...clear] : clear;
  }

  /** The nodes under suspicion. */
  list(): number[] {
    return [...this.#nodes];
  }
}

/** @param more to be known of it */
export function notFiniteError(step: number, { dataset, recipe }: AdmissionTerms, more: string): LockstepError {
  const epoch = Math.floor(step / stepsPerEpoch(dataset.train.count, recipe.batchSize));
  return divergedError(`the loss of step ${step}`, epoch, `, computed twice${more}`);
}

export function wrongSumError(): LockstepError {
  const text = 'its result was not a finite number, and others computed one that is.';
  return new LockstepError('LOCKSTEP_NODE_CONTRIBUTION', text);
}
