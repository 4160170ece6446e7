/** What a step sends to other nodes, and what of the arena may not be overwritten until it has left. */
import { type Bucket, BucketForm, listRounded, readBucketFloats, type Span } from '@lockstep/core/run';
import type { Assignment, Frame, Link } from '@lockstep/core/wire';
import { maxPartials, viewFloats } from '../plan/memory-plan.js';
import type { SharedParts } from '../threads/step-workers.js';
import type { Held } from './shared-step.js';

/** Buckets that may be on their way to one node before more are given to its connection. */
const WINDOW = 6;

export class Departures {
  /** When the first sums of the step were sent; undefined before, and where none are. */
  beganMs: number | undefined;
  /** Nodes to which sums are on their way out of the workers' partials, and out of the reduction. */
  readonly #partialsTo = new Set<number>();
  readonly #reducedTo = new Set<number>();
  readonly #rounded: readonly Span[];

  constructor(
    private readonly parts: SharedParts,
    private readonly linkTo: (node: number) => Link | undefined,
  ) {
    this.#rounded = listRounded(parts.layout, parts.data.recipe);
  }

  /**
   * Bytes of sums that may be on their way to one node: partials of a window, the last bucket's with all that are sent of it,
   * and finished sums of the attempt and of the one before.
   */
  get mostBytes(): number {
    const { layout, data } = this.parts;
    const bucket = Math.min(layout.length, readBucketFloats(process.env));
    return 4 * ((WINDOW - 1 + maxPartials(data.recipe)) * bucket + 2 * layout.length);
  }

  /** Whether a node's connection takes more buckets. */
  hasRoom(node: number): boolean {
    return (this.linkTo(node)?.inFlight ?? 0) < WINDOW;
  }

  /** Nodes that have not taken in what was sent to them. */
  listFull(): number[] {
    return [...new Set([...this.#partialsTo, ...this.#reducedTo])].filter(
      (node) => (this.linkTo(node)?.inFlight ?? 0) > 0,
    );
  }

  /** For each of these nodes whose connection is full, a promise of room. */
  awaitRoom(nodes: readonly number[]): Promise<void>[] {
    return nodes.filter((node) => !this.hasRoom(node)).map(async (node) => this.linkTo(node)?.drain(WINDOW - 1));
  }

  /** A bucket of each of these partials, to these nodes. */
  sendPartials({ step, generation }: Assignment, own: readonly Held[], bucket: Bucket, to: readonly number[]): void {
    const { offset, length } = bucket;
    this.beganMs ??= performance.now();
    for (const { range, unit } of own) {
      const bytes = this.#encode(unit, offset, length);
      for (const node of to) this.linkTo(node)?.send({ type: 'partial', step, generation, ...range, offset }, bytes);
    }
    for (const node of to) {
      this.#partialsTo.add(node);
      // the others wait for them, and here sums may be next
      this.linkTo(node)?.flush();
    }
  }

  /** A bucket of the finished reduction, to these nodes. */
  sendReduced({ step, generation }: Assignment, { offset, length }: Bucket, below: readonly number[]): void {
    const payload = this.#encode(this.parts.memory.reductionAt, offset, length);
    this.passOn(below, { message: { type: 'reduced', step, generation, offset }, payload });
    for (const node of below) this.#reducedTo.add(node);
  }

  /** Finished sums as they came, to these nodes. */
  passOn(below: readonly number[], { message, payload }: Frame): void {
    for (const node of below) {
      const link = this.linkTo(node);
      link?.send(message, payload);
      link?.flush();
    }
  }

  /** Whether the workers' partials may be overwritten. */
  get arePartialsGone(): boolean {
    return [...this.#partialsTo].every((node) => (this.linkTo(node)?.inFlight ?? 0) === 0);
  }

  /** Resolves when that is so. */
  async drainPartials(): Promise<void> {
    await this.#drain(this.#partialsTo);
  }

  /** Resolves when the finished reduction may be overwritten. */
  async drainReduced(): Promise<void> {
    await this.#drain(this.#reducedTo);
  }

  async #drain(nodes: Set<number>): Promise<void> {
    await Promise.all([...nodes].map((node) => this.linkTo(node)?.drain()));
    nodes.clear();
  }

  #encode(unit: number, offset: number, length: number): Uint8Array {
    const floats = viewFloats(this.parts.data.arena, unit, length, offset);
    return new BucketForm(offset, length, this.#rounded).encode(floats);
  }
}
