/**
 * One replica's part in a step that several nodes share; the coordinator's own node and every other run this same code.
 *
 * The vector of a step is cut into buckets, and each bucket has one owner. Every node adds up its shards into the
 * canonical nodes of its range and sends each bucket of those to the bucket's owner; the owner finishes the canonical
 * tree on it and sends the sum to every replica; every replica applies the optimizer to it. A star is the case where the
 * coordinator owns every bucket, a mesh the one where each node owns a slice: nothing else differs.
 *
 * Buckets go their way one by one, so that the network works while sums and updates are computed. Version t of the state
 * stays until step t + 1 begins, so a step can be begun again, under a new generation, at any moment.
 */
import {
  type Assignment,
  assert,
  type Bucket,
  bytesOf,
  type Frame,
  type Link,
  LockstepError,
  type MessageOf,
  type ShardRange,
  type StepHooks,
  type StepOutcome,
  type StepParticipant,
  SupersededError,
} from '@lockstep/core';
import { findNotFinite } from './finite.js';
import { OrderedWorkers, type SharedParts } from './ordered-workers.js';
import { type FoldJob, orderFlag } from './orders.js';
import { hashContribution, hashReplica } from './replica-hash.js';
import { type Awaited, planReduction, planSharedStep, type SharedStep } from './shared-step.js';

/** Buckets that may be on their way to one node before more are given to its connection. */
const WINDOW = 6;
/** Bytes kept for a step that has not begun here. */
const MAX_EARLY_BYTES = 2 ** 30;
/** Times that sums may come again before it is taken for an attack. */
const MAX_DUPLICATES = 1000;

export class Participant implements StepParticipant {
  readonly #workers: OrderedWorkers;
  #step: SharedStep | undefined;
  #running: Promise<unknown> = Promise.resolve();
  /** Attempts that may go on: the one that is under way, and those that follow it. */
  readonly #live = new Set<Assignment>();
  #isSignalled = false;
  #wake: () => void = () => {};
  #early: { readonly from: number; readonly frame: Frame }[] = [];
  #earlyBytes = 0;
  #duplicates = 0;
  /** Time that the workers spent on orders since the step's shards were computed. */
  #orderedMs = 0;
  /** Nodes to which sums are on their way out of the contribution slots, and out of the reduction. */
  readonly #partialsTo = new Set<number>();
  readonly #reducedTo = new Set<number>();

  constructor(
    private readonly parts: SharedParts,
    readonly me: number,
    private readonly linkTo: (node: number) => Link | undefined,
    private readonly hooks: StepHooks,
  ) {
    this.#workers = new OrderedWorkers(parts);
  }

  open(): void {
    this.#workers.open();
  }

  async close(): Promise<void> {
    await this.settle();
    await this.#workers.close();
  }

  async settle(): Promise<void> {
    this.cancel();
    await this.#running.catch(() => {});
  }

  waitsFor(): number[] {
    const step = this.#step;
    if (!step) return [];
    const partials = step.awaited.filter(({ has }) => has.includes(0)).map(({ from }) => from);
    const sums = step.buckets
      .filter(({ owner }, index) => owner !== this.me && !step.reduced[index])
      .map(({ owner }) => owner);
    return [...new Set([...partials, ...sums])];
  }

  cancel(): void {
    this.#endFrom(0);
  }

  /** An attempt at the same step ends; the steps before it are finished first, since all of them is on its way. */
  async run(assignment: Assignment, audits: readonly ShardRange[] = []): Promise<StepOutcome> {
    this.#endFrom(assignment.step);
    this.#live.add(assignment);
    const running = this.#running
      .catch(() => {})
      .then(() => this.#share(assignment, audits))
      .finally(() => this.#live.delete(assignment));
    this.#running = running;
    return running;
  }

  /** Ends the attempts at this step and later ones. */
  #endFrom(step: number): void {
    for (const assignment of this.#live) if (assignment.step >= step) this.#live.delete(assignment);
    this.#signal();
  }

  /** Hash of a canned shard's contribution: the first of the run, under the given state. */
  async selfTest(state: Float32Array): Promise<string> {
    const { memory, layout, data, control } = this.parts;
    const scratch = memory.stateAt((control.committed + 1) % 2);
    const saved = this.#vector(scratch).slice();
    this.#vector(scratch).set(state);
    this.parts.prepareEpoch(0);
    const order = { flags: orderFlag.contribute, step: 0, state: scratch, range: { begin: 0, end: 1 } };
    await this.#workers.carryOut({ ...order, offset: 0, length: 0, jobs: [] });
    this.#vector(scratch).set(saved);
    return hashContribution(layout, data.arena.subarray(memory.nodesAt(0) * 16));
  }

  #vector(unit: number): Float32Array {
    return this.parts.data.arena.subarray(unit * 16, unit * 16 + this.parts.layout.length);
  }

  // ---- what arrives ----

  receive(from: number, frame: Frame): void {
    const message = frame.message as MessageOf<'partial' | 'reduced'>;
    const step = this.#step;
    const generation = step?.assignment.generation ?? -1;
    if (step && message.generation === generation) {
      if (message.type === 'partial') this.#takePartial(step, from, message, frame.payload);
      else this.#takeReduced(step, from, message, frame.payload);
      this.#signal();
    } else if (message.generation > generation) this.#keepEarly(from, frame);
  }

  /** In a mesh, others may begin a step before its assignment is here. */
  #keepEarly(from: number, frame: Frame): void {
    this.#earlyBytes += frame.payload.length + 1024;
    if (this.#earlyBytes > MAX_EARLY_BYTES) throw broken('it sent too much for steps that have not begun');
    this.#early.push({ from, frame });
  }

  #takeEarly(): void {
    const early = this.#early;
    this.#early = [];
    this.#earlyBytes = 0;
    for (const { from, frame } of early) {
      try {
        this.receive(from, frame);
      } catch (error) {
        this.hooks.onFault(from, error as LockstepError);
      }
    }
  }

  #takePartial(step: SharedStep, from: number, message: MessageOf<'partial'>, payload: Uint8Array): void {
    const { begin, end, offset } = message;
    const index = findBucket(step, offset, payload, this.me);
    const awaited = step.awaited.find((a) => a.from === from && a.range.begin === begin && a.range.end === end);
    if (!awaited) throw broken(`it sent shards [${begin}, ${end}), which are not its own`);
    const at = awaited.unit * 16 + offset;
    const place = this.parts.data.arena.subarray(at, at + payload.length / 4);
    if (awaited.has[index]) {
      this.#compareAgain(place, payload, message);
      return;
    }
    bytesOf(place).set(payload);
    const bad = findNotFinite(place);
    if (bad >= 0 && !this.parts.isFrozenAt(offset + bad)) {
      const text = `shards [${begin}, ${end}) of step ${message.step} hold ${place[bad]} at ${offset + bad}.`;
      throw new LockstepError('LOCKSTEP_NODE_NOT_FINITE', text);
    }
    awaited.has[index] = 1;
    step.missing[index] = (step.missing[index] as number) - 1;
  }

  /** What comes twice must be the same: a free detector of silent corruption. */
  #compareAgain(place: Float32Array, payload: Uint8Array, { begin, end, step }: MessageOf<'partial'>): void {
    if (Buffer.compare(bytesOf(place), payload) !== 0) {
      throw broken(`it sent shards [${begin}, ${end}) of step ${step} twice, with different bits`);
    }
    this.#duplicates += 1;
    if (this.#duplicates > MAX_DUPLICATES) throw broken(`it sent the same sums ${this.#duplicates} times`);
  }

  #takeReduced(step: SharedStep, from: number, { offset }: MessageOf<'reduced'>, payload: Uint8Array): void {
    const index = findBucket(step, offset, payload, from);
    if (step.reduced[index]) return;
    bytesOf(this.#vector(this.parts.memory.reductionAt).subarray(offset)).set(payload);
    step.reduced[index] = 1;
    step.arrived.push(index);
  }

  // ---- a step ----

  async #share(assignment: Assignment, audits: readonly ShardRange[]): Promise<StepOutcome> {
    this.#checkCurrent(assignment);
    const { memory, layout, data } = this.parts;
    this.parts.prepareEpoch(Math.floor(assignment.step / this.#epochSteps));
    await this.#drain(this.#partialsTo);
    const began = performance.now();
    const step = planSharedStep(assignment, this.me, layout, memory, data.workers, audits);
    this.#step = step;
    this.#takeEarly();
    await this.#contribute(step);
    const computeMs = performance.now() - began;
    this.#checkCurrent(assignment);
    this.hooks.onContributed(assignment, computeMs);
    this.#orderedMs = 0;
    while (step.applied < step.buckets.length) {
      this.#checkCurrent(assignment);
      if (!(await this.#advance(step))) await this.#sleep(assignment);
    }
    this.#checkCurrent(assignment);
    const updateMs = this.#orderedMs;
    return { ...this.#readResult(assignment), computeMs, updateMs, stepMs: performance.now() - began };
  }

  get #epochSteps(): number {
    return this.parts.data.results.length / 2;
  }

  async #contribute({ assignment, audits, range, computed, buckets, jobs }: SharedStep): Promise<void> {
    for (const audit of audits) {
      const whole = { offset: 0, length: this.parts.layout.length };
      await this.#order(orderFlag.contribute | orderFlag.fold, assignment.step, whole, audit.jobs, audit.range);
    }
    if (computed.length === 0) return;
    const only = buckets.length === 1 && buckets[0]?.owner !== this.me ? buckets[0] : undefined;
    if (only && jobs.length > 0) {
      await this.#order(orderFlag.contribute | orderFlag.fold, assignment.step, only, jobs, range);
    } else await this.#order(orderFlag.contribute, assignment.step, NOWHERE, [], range);
  }

  /** Does the most urgent thing that can be done; false when all there is to do is wait. */
  async #advance(step: SharedStep): Promise<boolean> {
    const next = step.buckets[step.sent];
    if (next && (this.linkTo(next.owner)?.inFlight ?? 0) < WINDOW) {
      step.sent += 1;
      await this.#sendBucket(step, next);
      return true;
    }
    const complete = step.buckets.findIndex(
      ({ owner }, index) => owner === this.me && step.missing[index] === 0 && !step.reduced[index],
    );
    if (complete >= 0) {
      await this.#reduce(step, complete);
      return true;
    }
    if (this.#isClipping && step.reduced.includes(0)) return false;
    const arrived = step.arrived.shift();
    if (arrived === undefined) return false;
    await this.#apply(step, arrived);
    return true;
  }

  async #sendBucket({ assignment, own, jobs, buckets }: SharedStep, bucket: Bucket): Promise<void> {
    const { owner, offset, length } = bucket;
    if (owner === this.me || own.length === 0) return;
    if (jobs.length > 0 && buckets.length > 1) await this.#order(orderFlag.fold, assignment.step, bucket, jobs);
    this.#checkCurrent(assignment);
    const { step, generation } = assignment;
    for (const { range, unit } of own) {
      const floats = this.#vector(unit).subarray(offset, offset + length);
      this.#send(owner, { type: 'partial', step, generation, ...range, offset }, floats);
    }
    this.#partialsTo.add(owner);
  }

  /** Finishes the canonical tree on a bucket, sends the sum to every replica, and applies it. */
  async #reduce(step: SharedStep, index: number): Promise<void> {
    const bucket = step.buckets[index] as Bucket;
    const { assignment } = step;
    for (const audit of step.audits) this.#compareAudit(audit.of, audit.unit, bucket);
    if (!step.reduced.includes(1)) await this.#drain(this.#reducedTo);
    const job = planReduction(step, this.parts.memory.reductionAt);
    const flags = orderFlag.fold | (this.#isClipping ? 0 : orderFlag.update);
    await this.#order(flags, assignment.step, bucket, [job], undefined, () => this.#sendReduced(assignment, bucket));
    step.reduced[index] = 1;
    if (this.#isClipping) step.arrived.push(index);
    else step.applied += 1;
  }

  #compareAudit({ from, range, unit }: Awaited, again: number, { offset, length }: Bucket): void {
    const [sent, computed] = [unit, again].map((at) => bytesOf(this.#vector(at).subarray(offset, offset + length)));
    if (Buffer.compare(sent as Uint8Array, computed as Uint8Array) === 0) return;
    const text = `it sent other bits for shards [${range.begin}, ${range.end}) than the coordinator computes.`;
    const error = new LockstepError('LOCKSTEP_NODE_AUDIT', text);
    this.hooks.onFault(from, error);
    throw new SupersededError();
  }

  #sendReduced({ step, generation, replicas }: Assignment, { offset, length }: Bucket): void {
    const floats = this.#vector(this.parts.memory.reductionAt).subarray(offset, offset + length);
    for (const node of replicas) {
      if (node === this.me) continue;
      this.#send(node, { type: 'reduced', step, generation, offset }, floats);
      this.#reducedTo.add(node);
    }
  }

  async #apply(step: SharedStep, index: number): Promise<void> {
    const number = step.assignment.step;
    if (this.#isClipping) {
      const whole = { offset: 0, length: this.parts.layout.length };
      await this.#order(orderFlag.squares | orderFlag.update, number, whole);
      step.applied = step.buckets.length;
    } else {
      await this.#order(orderFlag.update, number, step.buckets[index] as Bucket);
      step.applied += 1;
    }
  }

  /** With a limit on the gradient's norm nothing can be applied before all of it is here. */
  get #isClipping(): boolean {
    return this.parts.data.recipe.clipNorm !== undefined;
  }

  async #order(
    flags: number,
    step: number,
    { offset, length }: { readonly offset: number; readonly length: number },
    jobs: readonly FoldJob[] = [],
    range: ShardRange = { begin: 0, end: 0 },
    onFolded?: () => void,
  ): Promise<void> {
    const state = this.parts.memory.stateAt(step % 2);
    const began = performance.now();
    await this.#workers.carryOut({ flags, step, state, range, offset, length, jobs }, onFolded);
    this.#orderedMs += performance.now() - began;
  }

  #readResult({ step, withHash }: Assignment): Pick<StepOutcome, 'lossSum' | 'correct' | 'hash'> {
    const state = this.#vector(this.parts.memory.stateAt((step + 1) % 2));
    const at = this.parts.layout.resultOffset;
    return {
      lossSum: state[at] as number,
      correct: state[at + 1] as number,
      hash: withHash ? hashReplica(this.parts.layout, state) : undefined,
    };
  }

  #send(node: number, message: MessageOf<'partial' | 'reduced'>, floats: Float32Array): void {
    const link = this.linkTo(node);
    link?.send(message, bytesOf(floats));
  }

  /** Waits until what was sent has left, so that it may be overwritten. */
  async #drain(nodes: Set<number>): Promise<void> {
    await Promise.all([...nodes].map((node) => this.linkTo(node)?.drain()));
    nodes.clear();
  }

  // ---- waiting ----

  #checkCurrent(assignment: Assignment): void {
    if (!this.#live.has(assignment)) throw new SupersededError();
  }

  #signal(): void {
    this.#isSignalled = true;
    this.#wake();
  }

  /** Until something arrives, is cancelled, or a connection has room again. */
  async #sleep({ owners }: Assignment): Promise<void> {
    assert(owners.length > 0, () => 'a step has no owner');
    if (!this.#isSignalled) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      const full = owners.map((node) => this.linkTo(node)).filter((link) => (link?.inFlight ?? 0) >= WINDOW);
      await Promise.race([woken, ...full.map((link) => link?.drain(WINDOW - 1))]);
    }
    this.#isSignalled = false;
  }
}

const NOWHERE = { offset: 0, length: 0 };

function findBucket({ buckets }: SharedStep, offset: number, payload: Uint8Array, owner: number): number {
  const index = buckets.findIndex((bucket) => bucket.offset === offset && bucket.owner === owner);
  const bucket = buckets[index];
  if (!bucket) throw broken(`it sent floats from ${offset}, where no bucket of node ${owner} starts`);
  if (payload.length !== 4 * bucket.length) {
    throw broken(`it sent ${payload.length} bytes for a bucket of ${4 * bucket.length}`);
  }
  return index;
}

const broken = (text: string): LockstepError => new LockstepError('LOCKSTEP_NODE_CONTRIBUTION', `${text}.`);
