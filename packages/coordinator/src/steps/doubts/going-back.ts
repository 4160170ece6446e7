/**
 * Takes a run back to a state that the coordinator can answer for: from before a node that was found lying (way-back.ts), or
 * from before sums that may have led to numbers which are not finite (retracing.ts).
 */
import type { NodeEvent, StepSpan } from '@lockstep/core/events';
import { stepsPerEpoch } from '@lockstep/core/run';
import type { NodeSnapshot, SharingNode } from '@lockstep/core/seams';
import type { Assignment } from '@lockstep/core/wire';
import type { AdmissionTerms } from '../../members/admission.js';
import type { Replicas } from '../../members/replicas.js';
import { Retracing } from './retracing.js';
import { WayBack, type WayBackOptions } from './way-back.js';

/** An attempt at which a step was done. */
export interface DoneAttempt {
  readonly assignment: Assignment;
  /** Whether the keeper has computed all of the step's sums. */
  readonly isConfirmed: boolean;
  /** Nodes whose sums it has computed too. */
  readonly audited: readonly number[];
}

export class GoingBack {
  readonly way: WayBack;
  readonly #retracing = new Retracing();
  readonly #options: WayBackOptions;
  #resumedFrom: NodeSnapshot | undefined;

  constructor(
    private readonly keeper: SharingNode,
    private readonly replicas: Replicas,
    /** Steps that nodes were told of before their time. */
    private readonly ahead: { drop(): void },
    { dataset, recipe }: AdmissionTerms,
    { audit, emit }: { readonly audit: number; readonly emit: (event: NodeEvent) => void },
  ) {
    const epochSteps = stepsPerEpoch(dataset.train.count, recipe.batchSize);
    this.#options = { isAuditing: audit > 0, epochSteps, emit };
    this.way = new WayBack(this.#options);
  }

  /** Whether the keeper computes all sums of others again in a step. */
  isWatched(step: number): boolean {
    return this.#retracing.isWatched(step);
  }

  /** The run begins with this. */
  restore(snapshot: NodeSnapshot): void {
    this.#resumedFrom = snapshot;
    this.way.begin(snapshot.step);
    this.#goTo(snapshot);
  }

  /**
   * After a step.
   *
   * @param attempt at which it was done
   * @param compared nodes whose replicas are equal
   */
  noteStep(attempt: DoneAttempt, compared: readonly number[]): void {
    this.#retracing.noteStep(attempt.assignment.step, attempt.isConfirmed);
    this.way.noteChecked(attempt.audited, compared);
  }

  /** The run is at a state that it had before. */
  rewind(step: number): void {
    this.ahead.drop();
    this.way.rewind(step);
    this.#retracing.rewind(step);
  }

  /** From liars that were found. @param from steps committed @returns those committed now */
  fromLiars(from: number): number {
    return this.#goTo(this.way.go(from) ?? this.#beginning);
  }

  /**
   * From numbers that are not finite, if there is anything to be computed again.
   *
   * @param from steps committed
   * @returns those committed now; undefined: it stays where it is
   */
  fromDivergence(from: number): number | undefined {
    const { isAuditing, emit, epochSteps } = this.#options;
    const first = this.#retracing.firstStep;
    if (first === undefined) return undefined;
    const state = isAuditing ? (this.way.findBefore(first) ?? this.#beginning) : this.replicas.verified;
    if (state === undefined || !this.#retracing.begin(from, state.step)) return undefined;
    const { step } = state;
    emit({ event: 'went-back', step, epochs: Math.floor(step / epochSteps), from });
    return this.#goTo(state);
  }

  /** Steps that hold sums of other nodes which nobody has computed again. */
  get unaudited(): StepSpan | undefined {
    return this.#retracing.span;
  }

  /** For people, behind what has come to such numbers. */
  describeRest(): string {
    return this.#retracing.describeRest();
  }

  get #beginning(): NodeSnapshot {
    return this.#resumedFrom ?? this.keeper.initialSnapshot();
  }

  #goTo(state: NodeSnapshot): number {
    this.keeper.restore(state);
    this.replicas.forget();
    this.rewind(state.step);
    return state.step;
  }
}
