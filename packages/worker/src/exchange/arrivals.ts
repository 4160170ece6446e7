/** What other nodes send for a step: checked, and put where the step's plan wants it. */

import { LockstepError } from '@lockstep/core/errors';
import { type Bucket, BucketForm, listRounded, readBucketFloats, type Span } from '@lockstep/core/run';
import { COORDINATOR_ID } from '@lockstep/core/seams';
import { countOf } from '@lockstep/core/text';
import type { Assignment, Frame, MessageOf } from '@lockstep/core/wire';
import { loadKernels } from '@lockstep/kernels';
import { maxPartials, viewFloats } from '../plan/memory-plan.js';
import type { SharedParts } from '../threads/step-workers.js';
import { EarlySums } from './early-sums.js';
import { comesFor, type RoutedBucket, type SharedStep } from './shared-step.js';

/** Owners of a vector at the most, each of which may begin a bucket of its own. */
const MOST_OWNERS = 1024;
/** Times that sums may come again before it is taken for an attack. */
const MAX_DUPLICATES = 1000;

export interface ArrivalHooks {
  /** What came before its step began broke a rule. */
  onFault(node: number, error: LockstepError): void;
  /** Finished sums of a bucket are here. */
  onReduced(bucket: RoutedBucket, frame: Frame): void;
}

export class Arrivals {
  #step: SharedStep | undefined;
  readonly #early: EarlySums;
  #duplicates = 0;
  readonly #rounded: readonly Span[];
  readonly #kernels = loadKernels();

  constructor(
    private readonly parts: SharedParts,
    private readonly me: number,
    private readonly hooks: ArrivalHooks,
  ) {
    const { layout, data } = parts;
    this.#rounded = listRounded(layout, data.recipe);
    const partials = maxPartials(data.recipe) + 1;
    const buckets = Math.ceil(layout.length / readBucketFloats(process.env)) + MOST_OWNERS;
    this.#early = new EarlySums({ frames: partials * buckets, bytes: 4 * layout.length * partials });
  }

  /** Takes what comes for this step from here on, and what has come before: in a mesh, others may begin earlier. */
  begin(step: SharedStep): void {
    this.#step = step;
    // not when it was planned: steps that are dealt alike share these, and one may be planned while the last is still open
    for (const { has } of step.awaited) has.fill(0);
    for (const { from, frame } of this.#early.take(step.assignment.generation)) {
      try {
        this.take(from, frame);
      } catch (error) {
        this.hooks.onFault(from, error as LockstepError);
      }
    }
  }

  /**
   * @returns whether it is for the step that is under way
   * @throws LockstepError LOCKSTEP_NODE_CONTRIBUTION or LOCKSTEP_NODE_NOT_FINITE when it breaks a rule
   */
  take(from: number, frame: Frame): boolean {
    const message = frame.message as MessageOf<'partial' | 'reduced'>;
    const step = this.#step;
    const generation = step?.assignment.generation ?? -1;
    if (step && message.generation === generation) {
      if (message.type === 'partial') this.#takePartial(step, from, message, frame.payload);
      else this.#takeReduced(step, from, message, frame);
      return true;
    }
    if (message.generation > generation) this.#early.keep(from, frame);
    return false;
  }

  /** Bytes that are kept of one sender, of whom most is kept, and as many as that may be. */
  get kept(): { readonly bytes: number; readonly most: number } {
    return { bytes: this.#early.bytes, most: this.#early.mostBytes };
  }

  /** The connection to a node is lost, and with it what it sent before its time. */
  forget(node: number): void {
    this.#early.forget(node);
  }

  /**
   * Which node's part of a bucket is the largest at a float whose sum is not a finite number: parts that are finite may
   * overflow when they are added.
   */
  findLargest(step: SharedStep, { offset, length }: Bucket): number {
    const reduced = this.#floatsAt(this.parts.memory.reductionAt, offset, length);
    const at = this.#kernels.findNotFinite(reduced);
    const sizeOf = (unit: number): number => {
      const value = this.#floatsAt(unit, offset, length)[at] as number;
      return Number.isFinite(value) ? Math.abs(value) : Number.POSITIVE_INFINITY;
    };
    const parts = [
      ...[...step.own, ...step.computed].map(({ unit }) => ({ from: this.me, size: sizeOf(unit) })),
      ...step.awaited.map(({ from, unit }) => ({ from, size: sizeOf(unit) })),
    ];
    return parts.reduce((most, part) => (part.size > most.size ? part : most), { from: this.me, size: -1 }).from;
  }

  #takePartial(step: SharedStep, from: number, message: MessageOf<'partial'>, payload: Uint8Array): void {
    const { begin, end, offset } = message;
    const { index, bucket, form } = this.#findBucket(step, offset, payload);
    const { length } = bucket;
    const awaited = step.awaited.find((a) => a.from === from && a.range.begin === begin && a.range.end === end);
    if (!awaited || !comesFor(awaited, bucket, this.me))
      throw broken(`it sent shards [${begin}, ${end}), which are not its own`);
    const place = this.#floatsAt(awaited.unit, offset, length);
    if (awaited.has[index]) {
      this.#compareAgain(form.encode(place), payload, message);
      return;
    }
    form.decode(payload, place);
    this.#checkFinite(place, offset, `shards [${begin}, ${end}) of step ${message.step}`);
    awaited.has[index] = 1;
    step.missing[index] = (step.missing[index] as number) - 1;
    if (!awaited.isForOwned) step.ungathered[index] = (step.ungathered[index] as number) - 1;
  }

  /** What comes twice must be the same: a free detector of silent corruption. */
  #compareAgain(before: Uint8Array, payload: Uint8Array, { begin, end, step }: MessageOf<'partial'>): void {
    if (Buffer.compare(before, payload) !== 0) {
      throw broken(`it sent shards [${begin}, ${end}) of step ${step} twice, with different bits`);
    }
    this.#duplicates += 1;
    if (this.#duplicates > MAX_DUPLICATES) throw broken(`it sent the same sums ${this.#duplicates} times`);
  }

  #checkFinite(floats: Float32Array, offset: number, what: string): void {
    const bad = this.#kernels.findNotFinite(floats);
    if (bad < 0 || this.parts.isFrozenAt(offset + bad)) return;
    throw new LockstepError('LOCKSTEP_NODE_NOT_FINITE', `${what} hold ${floats[bad]} at ${offset + bad}.`);
  }

  /** @throws LockstepError LOCKSTEP_NODE_NOT_FINITE when the finished reduction is not all numbers on a bucket */
  checkReduced({ step }: Assignment, { offset, length }: Omit<Bucket, 'owner'>): void {
    const floats = this.#floatsAt(this.parts.memory.reductionAt, offset, length);
    this.#checkFinite(floats, offset, `the sums of step ${step}`);
  }

  #takeReduced(step: SharedStep, from: number, { offset }: MessageOf<'reduced'>, frame: Frame): void {
    const { index, bucket, form } = this.#findBucket(step, offset, frame.payload);
    const { owner, length } = bucket;
    if (owner === this.me || bucket.up[0] !== from) throw broken(`it sent sums that node ${owner} finishes`);
    if (step.reduced[index]) return;
    form.decode(frame.payload, this.#floatsAt(this.parts.memory.reductionAt, offset, length));
    // what an owner adds itself nobody else has seen; without the coordinator's replica nothing is committed
    if (this.me === COORDINATOR_ID) this.checkReduced(step.assignment, { offset, length });
    step.reduced[index] = 1;
    step.arrived.push(index);
    this.hooks.onReduced(bucket, frame);
  }

  #findBucket({ buckets }: SharedStep, offset: number, payload: Uint8Array) {
    const index = buckets.findIndex((one) => one.offset === offset);
    const bucket = buckets[index];
    if (bucket === undefined) throw broken(`it sent floats from ${offset}, where no bucket starts`);
    const form = new BucketForm(offset, bucket.length, this.#rounded);
    if (payload.length !== form.bytes) {
      throw broken(`it sent ${countOf(payload.length, 'byte')} for a bucket of ${form.bytes}`);
    }
    return { index, bucket, form };
  }

  #floatsAt(unit: number, offset: number, length: number): Float32Array {
    return viewFloats(this.parts.data.arena, unit, length, offset);
  }
}

const broken = (text: string): LockstepError => new LockstepError('LOCKSTEP_NODE_CONTRIBUTION', `${text}.`);
