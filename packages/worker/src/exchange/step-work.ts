/**
 * The work of a shared step. Shards are computed by this node's workers, on commands; sums and updates by them too, or here
 * on the main thread: while the workers compute, and where a slice is so small that waking them takes longer.
 */

import { createHash } from 'node:crypto';
import { inferLayers } from '@lockstep/core/model';
import { type Bucket, bytesOf, type ShardRange } from '@lockstep/core/run';
import type { StepOutcome } from '@lockstep/core/seams';
import type { Assignment } from '@lockstep/core/wire';
import { findTail } from '../engines.js';
import { viewFloats } from '../plan/memory-plan.js';
import { commandFlag, type FoldJob } from '../threads/commands.js';
import { readFault } from '../threads/fault.js';
import { openSliceTools, type Slice, SliceWork } from '../threads/slice-work.js';
import type { SharedParts, TailWatch } from '../threads/step-workers.js';
import { hashContribution, hashReplica } from './replica-hash.js';
import type { Audit, SharedStep } from './shared-step.js';

const NOWHERE: Slice = { offset: 0, length: 0 };
/** Floats up to which a slice is worked on here, when nobody computes. */
const SMALL_SLICE = 2 ** 15;

export class StepWork {
  readonly #slices: SliceWork;
  /** Where the engine's tail begins. */
  readonly #tailAt: number;
  /** Whether the workers are computing the step's shards. */
  #isComputing = false;
  /** Whether they are at this node's own, not at those to compare. */
  #isAtOwn = false;
  /** Time spent on sums and updates since these were set to 0: when nothing was computed, and beside that. */
  commandedMs = 0;
  besideMs = 0;

  constructor(private readonly parts: SharedParts) {
    const { data, layout, control } = parts;
    this.#slices = new SliceWork(openSliceTools(data, readFault(control, false)), 0, 1);
    this.#tailAt = findTail(data.engine, inferLayers(data.model), layout, data.recipe);
  }

  open(): void {
    this.parts.workers.open();
  }

  async close(): Promise<void> {
    await this.parts.workers.close();
  }

  /** With a limit on the gradient's norm nothing can be applied before all of the reduction is here. */
  get isClipping(): boolean {
    return this.parts.data.recipe.clipNorm !== undefined;
  }

  get isComputing(): boolean {
    return this.#isComputing;
  }

  /** Whether this node's sums are final on a bucket, whose floats backward finishes from the end. */
  isFinal({ offset }: Bucket): boolean {
    return !this.#isComputing || (this.#isAtOwn && offset >= this.#tailAt && this.parts.workers.hasTails);
  }

  // ---- commands ----

  /** Computes this node's shards, and before them those to be compared. */
  async contribute({ assignment, audits, buckets, range, computed }: SharedStep, tail: TailWatch): Promise<void> {
    const { step } = assignment;
    this.#isComputing = true;
    this.#isAtOwn = false;
    try {
      for (const audit of audits) {
        await this.#command(commandFlag.contribute | commandFlag.fold, step, this.#whole, audit.jobs, audit.range);
        for (const [index, bucket] of buckets.entries()) audit.hashes[index] = this.#hash(audit.unit, bucket);
      }
      if (computed.length === 0) return;
      const contributing = this.#command(
        commandFlag.contribute,
        step,
        NOWHERE,
        [],
        range,
        undefined,
        this.#hasTail ? tail : undefined,
      );
      this.#isAtOwn = true;
      await contributing;
    } finally {
      this.#isComputing = false;
    }
  }

  get #hasTail(): boolean {
    return this.#tailAt < this.parts.layout.length;
  }

  /** Whether a slice is worked on here. */
  #isHere({ length }: Slice): boolean {
    return this.#isComputing || length <= SMALL_SLICE;
  }

  /** Adds up the sums of several workers on a bucket. */
  async fold({ assignment, jobs }: SharedStep, bucket: Bucket): Promise<void> {
    if (jobs.length === 0) return;
    if (this.#isHere(bucket)) this.#timed(() => this.#slices.fold(bucket, jobs));
    else await this.#command(commandFlag.fold, assignment.step, bucket, jobs);
  }

  /** Finishes the canonical tree on a bucket and, unless it has to wait for the gradient's norm, applies it. */
  async reduce(step: SharedStep, bucket: Bucket, onReduced: () => void): Promise<void> {
    const { assignment, reduction } = step;
    if (this.#isHere(bucket)) {
      this.#timed(() => this.#slices.fold(bucket, reduction));
      onReduced();
      if (!this.isClipping) await this.apply(step, bucket);
      return;
    }
    const flags = commandFlag.fold | (this.isClipping ? 0 : commandFlag.update);
    await this.#command(flags, assignment.step, bucket, reduction, undefined, onReduced);
  }

  /** Applies a bucket of the finished reduction. */
  async apply({ assignment }: SharedStep, bucket: Bucket): Promise<void> {
    if (this.#isHere(bucket)) this.#timed(() => this.#slices.update(assignment.step, bucket));
    else await this.#command(commandFlag.update, assignment.step, bucket);
  }

  /** Applies all of the finished reduction, by its norm. */
  async applyClipped({ assignment }: SharedStep): Promise<void> {
    await this.#command(commandFlag.squares | commandFlag.update, assignment.step, this.#whole);
  }

  #timed(work: () => void): void {
    const began = performance.now();
    work();
    const took = performance.now() - began;
    if (this.#isComputing) this.besideMs += took;
    else this.commandedMs += took;
  }

  async #command(
    flags: number,
    step: number,
    { offset, length }: Slice,
    jobs: readonly FoldJob[] = [],
    range: ShardRange = { begin: 0, end: 0 },
    onFolded?: () => void,
    tail?: TailWatch,
  ): Promise<void> {
    const state = this.parts.memory.stateAt(step % 2);
    const began = performance.now();
    await this.parts.workers.carryOut({ flags, step, state, range, offset, length, jobs }, onFolded, tail);
    if (!(flags & commandFlag.contribute)) this.commandedMs += performance.now() - began;
  }

  get #whole(): Slice {
    return { offset: 0, length: this.parts.layout.length };
  }

  // ---- results ----

  /** Whether another node sent the same bits of a bucket as are computed here. */
  isConfirmed({ of, hashes }: Audit, index: number, bucket: Bucket): boolean {
    return this.#hash(of.unit, bucket) === hashes[index];
  }

  #hash(unit: number, { offset, length }: Bucket): string {
    const floats = this.#vector(unit).subarray(offset, offset + length);
    return createHash('sha256').update(bytesOf(floats)).digest('hex');
  }

  readResult({ step, withHash }: Assignment): Pick<StepOutcome, 'lossSum' | 'correct' | 'hash'> {
    const state = this.#vector(this.parts.memory.stateAt((step + 1) % 2));
    const at = this.parts.layout.resultOffset;
    return {
      lossSum: state[at] as number,
      correct: state[at + 1] as number,
      hash: withHash ? hashReplica(this.parts.layout, state) : undefined,
    };
  }

  /** Hash of a canned shard's contribution: the first of the run, under the given state. */
  async selfTest(state: Float32Array): Promise<string> {
    const { memory, layout, data, control } = this.parts;
    const scratch = memory.stateAt((control.committed + 1) % 2);
    const saved = this.#vector(scratch).slice();
    this.#vector(scratch).set(state);
    this.parts.prepareEpoch(0);
    const command = { flags: commandFlag.contribute, step: 0, state: scratch, range: { begin: 0, end: 1 } };
    await this.parts.workers.carryOut({ ...command, ...NOWHERE, jobs: [] });
    this.#vector(scratch).set(saved);
    return hashContribution(layout, viewFloats(data.arena, memory.partialsAt(0), layout.length));
  }

  #vector(unit: number): Float32Array {
    return viewFloats(this.parts.data.arena, unit, this.parts.layout.length);
  }
}
