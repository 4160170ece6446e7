/** What other nodes send for a step: checked, and put where the step's plan wants it. */

import { LockstepError } from '@lockstep/core/errors';
import { type Bucket, BucketForm, listRounded, type Span } from '@lockstep/core/run';
import { COORDINATOR_ID } from '@lockstep/core/seams';
import { countOf } from '@lockstep/core/text';
import type { Assignment, Frame, MessageOf } from '@lockstep/core/wire';
import { loadKernels } from '@lockstep/kernels';
import type { SharedParts } from '../threads/commanded-workers.js';
import { viewFloats } from '../threads/memory-plan.js';
import { comesFor, type RoutedBucket, type SharedStep } from './shared-step.js';

/** Bytes kept for a step that has not begun here. */
const MAX_EARLY_BYTES = 2 ** 30;
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
  #early: { readonly from: number; readonly frame: Frame }[] = [];
  #earlyBytes = 0;
  #duplicates = 0;
  readonly #rounded: readonly Span[];
  readonly #kernels = loadKernels();

  constructor(
    private readonly parts: SharedParts,
    private readonly me: number,
    private readonly hooks: ArrivalHooks,
  ) {
    this.#rounded = listRounded(parts.layout, parts.data.recipe);
  }

  /** Takes what comes for this step from here on, and what has come before: in a mesh, others may begin earlier. */
  begin(step: SharedStep): void {
    this.#step = step;
    // not when it was planned: steps that are dealt alike share these, and one may be planned while the last is still open
    for (const { has } of step.awaited) has.fill(0);
    const early = this.#early;
    this.#early = [];
    this.#earlyBytes = 0;
    for (const { from, frame } of early) {
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
    if (message.generation > generation) this.#keepEarly(from, frame);
    return false;
  }

  #keepEarly(from: number, frame: Frame): void {
    this.#earlyBytes += frame.payload.length + 1024;
    if (this.#earlyBytes > MAX_EARLY_BYTES) throw broken('it sent too much for steps that have not begun');
    this.#early.push({ from, frame });
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
