/**
 * The shards of steps that this node computes: when a step is run, or before that, from the moment the step before it is
 * applied here, while others are told so.
 */
import type { ShardRange } from '@lockstep/core/run';
import type { Assignment } from '@lockstep/core/wire';
import type { SharedParts } from '../threads/step-workers.js';
import type { Departures } from './departures.js';
import type { SharedStep, SharedSteps } from './shared-step.js';
import type { StepWork } from './step-work.js';

/** This node's shards of a step, as they are computed. */
export interface Computation {
  readonly step: SharedStep;
  readonly beganMs: number;
  /** Until they were computed, and until they were final from the engine's tail on. */
  ms?: number;
  tailMs?: number;
  failure?: unknown;
  ended: Promise<void>;
}

/** So often is told that the kernels go on. */
const TELL_MS = 2000;

interface ComputationHooks {
  /** A computation has come to its tail, or its end. */
  onProgress(): void;
  /** The kernels have gone on with a step's shards. */
  onAtWork(assignment: Assignment): void;
}

export class Computations {
  /** What is run next, as far as is known. */
  #next: Assignment | undefined;
  /** Shards of the next step that are computed before it is run. */
  #early: Computation | undefined;

  constructor(
    private readonly parts: SharedParts,
    private readonly steps: SharedSteps,
    private readonly work: StepWork,
    private readonly departures: Departures,
    private readonly hooks: ComputationHooks,
  ) {}

  /** This is run next, without audits. */
  foretell(assignment: Assignment): void {
    this.#next = assignment;
  }

  /** This step and later ones are not run as foretold. */
  forgetFrom(step: number): void {
    if (this.#next && this.#next.step >= step) this.#next = undefined;
  }

  /** Resolves when nothing is computed that was not begun by `take`. */
  async settle(): Promise<void> {
    await this.#early?.ended;
    this.#early = undefined;
  }

  /** The shards of a step that is run now; one at a time. */
  async take(assignment: Assignment, audits: readonly ShardRange[]): Promise<Computation> {
    const early = this.#early;
    // of an attempt that is no more: the workers cannot be stopped
    if (early && early.step.assignment !== assignment) await early.ended;
    this.#early = undefined;
    return early?.step.assignment === assignment ? early : this.#compute(assignment, audits);
  }

  /**
   * At the end of a step: the cores go on with the next one. Not where the replicas are compared first, since the step
   * might be taken back.
   */
  async goOn({ step, withHash }: Assignment): Promise<void> {
    const next = this.#next;
    this.#next = undefined;
    if (next?.step !== step + 1 || withHash || !this.departures.arePartialsGone) return;
    this.#early = await this.#compute(next, []);
  }

  /** Plans a step and has this node's shards of it computed. */
  async #compute(assignment: Assignment, audits: readonly ShardRange[]): Promise<Computation> {
    this.parts.prepareEpoch(Math.floor(assignment.step / this.#epochSteps));
    await this.departures.drainPartials();
    this.departures.beganMs = undefined;
    this.work.commandedMs = 0;
    this.work.besideMs = 0;
    const beganMs = performance.now();
    const step = this.steps.begin(assignment, audits);
    const computation: Computation = { step, beganMs, ended: Promise.resolve() };
    const onTail = (): void => {
      computation.tailMs = performance.now() - beganMs;
      this.hooks.onProgress();
    };
    const telling = this.#tellAtWork(assignment);
    computation.ended = this.work
      .contribute(step, { onTail, beforeAgain: () => this.departures.drainPartials() })
      .then(() => {
        computation.ms = performance.now() - beganMs;
      })
      .catch((error: unknown) => {
        computation.failure = error;
      })
      .finally(() => {
        clearInterval(telling);
        this.hooks.onProgress();
      });
    return computation;
  }

  #tellAtWork(assignment: Assignment): NodeJS.Timeout {
    const count = (): number => this.parts.data.progress.reduce((sum, done) => sum + done, 0);
    let last = count();
    return setInterval(() => {
      const now = count();
      if (now !== last) this.hooks.onAtWork(assignment);
      last = now;
    }, TELL_MS);
  }

  get #epochSteps(): number {
    return this.parts.data.results.length / 2;
  }
}
