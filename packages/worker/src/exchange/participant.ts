/**
 * One replica's part in a step that several nodes share; the coordinator's own node and every other run this same code.
 *
 * The vector of a step is cut into buckets, and each bucket has one owner. Every node adds up its shards into the
 * partials of its range and sends each bucket of those towards the bucket's owner; the owner finishes the canonical
 * tree on it and sends the sum to every replica; every replica applies the optimizer to it. A star is the case where the
 * coordinator owns every bucket, a mesh the one where each node owns a slice, a hierarchy the one where leaders do, and add
 * up what their groups send before it goes on; in a swap each is the owner of everything (routes.ts). Nothing else differs.
 *
 * Buckets go their way one by one, in the order in which backward finishes them: those of the engine's tail while the
 * workers are still computing, the others while sums and updates are computed. Version t of the state
 * stays until step t + 1 begins, so a step can be begun again, under a new generation, at any moment.
 */

import { LockstepError } from '@lockstep/core/errors';
import type { Bucket, ShardRange } from '@lockstep/core/run';
import {
  COORDINATOR_ID,
  type StepHooks,
  type StepOutcome,
  type StepParticipant,
  SupersededError,
} from '@lockstep/core/seams';
import type { Assignment, Frame, Link } from '@lockstep/core/wire';
import type { SharedParts } from '../threads/step-workers.js';
import { Arrivals } from './arrivals.js';
import { Computations } from './computations.js';
import { Departures } from './departures.js';
import { type Awaited, comesFor, type RoutedBucket, type SharedStep, SharedSteps } from './shared-step.js';
import { StepWork } from './step-work.js';

export class Participant implements StepParticipant {
  readonly #work: StepWork;
  readonly #arrivals: Arrivals;
  readonly #departures: Departures;
  readonly #computations: Computations;
  #step: SharedStep | undefined;
  #running: Promise<unknown> = Promise.resolve();
  /** Attempts that may go on: the one that is under way, and those that follow it. */
  readonly #live = new Set<Assignment>();
  #isSignalled = false;
  #wake: () => void = () => {};

  constructor(
    readonly parts: SharedParts,
    readonly me: number,
    linkTo: (node: number) => Link | undefined,
    private readonly hooks: StepHooks,
  ) {
    this.#work = new StepWork(parts);
    this.#arrivals = new Arrivals(parts, me, {
      onFault: hooks.onFault,
      onReduced: ({ below }, frame) => this.#departures.passOn(below, frame),
    });
    this.#departures = new Departures(parts, linkTo);
    const steps = new SharedSteps(me, parts.layout, parts.memory, parts.data.workers);
    this.#computations = new Computations(parts, steps, this.#work, this.#departures, {
      onProgress: () => this.#signal(),
      onAtWork: (assignment) => hooks.onComputing?.(assignment),
    });
  }

  open(): void {
    this.#work.open();
  }

  async close(): Promise<void> {
    await this.settle();
    await this.#work.close();
  }

  async settle(): Promise<void> {
    this.cancel();
    await this.#running.catch(() => {});
    await this.#computations.settle();
  }

  cancel(): void {
    this.#endFrom(0);
  }

  selfTest(state: Float32Array): Promise<string> {
    return this.#work.selfTest(state);
  }

  waitsFor(): number[] {
    const step = this.#step;
    if (!step) return [];
    const isMissing = (one: Awaited): boolean =>
      step.buckets.some((bucket, index) => comesFor(one, bucket, this.me) && !one.has[index]);
    const partials = step.awaited.filter(isMissing).map(({ from }) => from);
    const sums = step.buckets
      .filter(({ owner }, index) => owner !== this.me && !step.reduced[index])
      .flatMap(({ up }) => up);
    return [...new Set([...partials, ...sums, ...this.#departures.listFull()])];
  }

  /** What is kept of one sender before its time: bytes, and as many as that may be. */
  get kept(): { readonly bytes: number; readonly most: number } {
    return this.#arrivals.kept;
  }

  /** Bytes of sums that may be on their way to one node. */
  get mostSent(): number {
    return this.#departures.mostBytes;
  }

  forget(node: number): void {
    this.#arrivals.forget(node);
  }

  receive(from: number, frame: Frame): void {
    if (this.#arrivals.take(from, frame)) this.#signal();
  }

  // ---- a step ----

  foretell(assignment: Assignment): void {
    this.#computations.foretell(assignment);
  }

  /** An attempt at the same step ends; the steps before it are finished first, since all of them is on its way. */
  async run(assignment: Assignment, audits: readonly ShardRange[] = []): Promise<StepOutcome> {
    this.#endFrom(assignment.step);
    this.#live.add(assignment);
    if (audits.length === 0) this.#computations.foretell(assignment);
    const running = this.#running
      .catch(() => {})
      .then(() => this.#share(assignment, audits))
      .finally(() => this.#live.delete(assignment));
    this.#running = running;
    return running;
  }

  async #share(assignment: Assignment, audits: readonly ShardRange[]): Promise<StepOutcome> {
    this.#checkCurrent(assignment);
    this.hooks.onBegan?.(assignment);
    const computation = await this.#computations.take(assignment, audits);
    const { step } = computation;
    this.#step = step;
    this.#arrivals.begin(step);
    let isTold = false;
    try {
      // in a swap all can be applied here before all that the other waits for has left
      while (step.applied < step.buckets.length || step.sent.includes(0)) {
        this.#checkCurrent(assignment);
        if (computation.failure !== undefined) throw computation.failure;
        if (await this.#advance(step)) continue;
        // after what others wait for
        if (computation.ms !== undefined && !isTold) this.hooks.onContributed(assignment, computation.ms);
        isTold = computation.ms !== undefined;
        await this.#sleep(step.receivers);
      }
    } finally {
      // the workers cannot be stopped
      await computation.ended;
    }
    if (computation.failure !== undefined) throw computation.failure;
    this.#checkCurrent(assignment);
    const now = performance.now();
    const { beganMs, ms: computeMs = 0, tailMs = 0 } = computation;
    const exchangeMs = now - (this.#departures.beganMs ?? now);
    const { commandedMs: updateMs, besideMs } = this.#work;
    const times = { computeMs, tailMs, exchangeMs, updateMs, besideMs, stepMs: now - beganMs };
    await this.#computations.goOn(assignment);
    if (!isTold) this.hooks.onContributed(assignment, computeMs);
    return { ...this.#work.readResult(assignment), ...times };
  }

  /** Does the most urgent thing that can be done; false when all there is to do is wait. */
  async #advance(step: SharedStep): Promise<boolean> {
    const { buckets, sent, missing, ungathered, reduced, lead } = step;
    const first = reduced.indexOf(0);
    const next = buckets.findIndex(
      (bucket, index) =>
        !sent[index] &&
        index < first + lead &&
        ungathered[index] === 0 &&
        this.#work.isFinal(bucket) &&
        bucket.up.every((node) => this.#departures.hasRoom(node)),
    );
    if (next >= 0) {
      sent[next] = 1;
      await this.#send(step, buckets[next] as RoutedBucket);
      return true;
    }
    const complete = buckets.findIndex(
      (bucket, index) =>
        bucket.owner === this.me && missing[index] === 0 && !reduced[index] && this.#work.isFinal(bucket),
    );
    if (complete >= 0) {
      await this.#reduce(step, complete);
      return true;
    }
    if (this.#work.isClipping && (reduced.includes(0) || this.#work.isComputing)) return false;
    const arrived = step.arrived.shift();
    if (arrived === undefined) return false;
    await this.#apply(step, arrived);
    return true;
  }

  async #send(step: SharedStep, bucket: RoutedBucket): Promise<void> {
    const { assignment, own } = step;
    await this.#work.fold(step, bucket);
    this.#checkCurrent(assignment);
    this.#departures.sendPartials(assignment, own, bucket, bucket.up);
  }

  /** Finishes the canonical tree on a bucket, sends the sum towards every replica, and applies it. */
  async #reduce(step: SharedStep, index: number): Promise<void> {
    const bucket = step.buckets[index] as RoutedBucket;
    this.#compareAudits(step, index, bucket);
    if (!step.reduced.includes(1)) await this.#departures.drainReduced();
    await this.#work.reduce(step, bucket, () => this.#departures.sendReduced(step.assignment, bucket, bucket.below));
    // nobody is blamed for an attempt that is over: it would be counted as a second one
    this.#checkCurrent(step.assignment);
    this.#checkOwn(step, bucket);
    step.reduced[index] = 1;
    if (this.#work.isClipping) step.arrived.push(index);
    else step.applied += 1;
  }

  #compareAudits({ audits }: SharedStep, index: number, bucket: Bucket): void {
    for (const audit of audits) {
      if (this.#work.isConfirmed(audit, index, bucket)) continue;
      const { from, range } = audit.of;
      const text = `it sent other bits for shards [${range.begin}, ${range.end}) than the coordinator computes.`;
      this.hooks.onFault(from, new LockstepError('LOCKSTEP_NODE_AUDIT', text));
      throw new SupersededError();
    }
  }

  /**
   * Sums that the coordinator finishes are checked here, where nothing is committed yet; those of other owners when they
   * come. Who sent the largest part is suspected, wherever it stands.
   */
  #checkOwn(step: SharedStep, bucket: Bucket): void {
    if (this.me !== COORDINATOR_ID) return;
    try {
      this.#arrivals.checkReduced(step.assignment, bucket);
    } catch (error) {
      this.hooks.onFault(this.#arrivals.findLargest(step, bucket), error as LockstepError);
      throw new SupersededError();
    }
  }

  async #apply(step: SharedStep, index: number): Promise<void> {
    if (this.#work.isClipping) {
      await this.#work.applyClipped(step);
      step.applied = step.buckets.length;
    } else {
      await this.#work.apply(step, step.buckets[index] as Bucket);
      step.applied += 1;
    }
  }

  // ---- waiting ----

  /** Ends the attempts at this step and later ones. */
  #endFrom(step: number): void {
    for (const assignment of this.#live) if (assignment.step >= step) this.#live.delete(assignment);
    this.#computations.forgetFrom(step);
    this.#signal();
  }

  #checkCurrent(assignment: Assignment): void {
    if (!this.#live.has(assignment)) throw new SupersededError();
  }

  #signal(): void {
    this.#isSignalled = true;
    this.#wake();
  }

  /** Until something arrives, is cancelled, or a connection has room again. */
  async #sleep(receivers: readonly number[]): Promise<void> {
    if (!this.#isSignalled) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      await Promise.race([woken, ...this.#departures.awaitRoom(receivers)]);
    }
    this.#isSignalled = false;
  }
}
