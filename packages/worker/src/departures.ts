/** What a step sends to other nodes, and what of the arena may not be overwritten until it has left. */
import { type Bucket, BucketForm, listRounded, type Span } from '@lockstep/core';
import type { Assignment, Link } from '@lockstep/core/wire';
import type { SharedParts } from './ordered-workers.js';
import type { Held } from './shared-step.js';

/** Buckets that may be on their way to one node before more are given to its connection. */
const WINDOW = 6;

export class Departures {
  /** When the first sums of the step were sent; undefined before, and where none are. */
  beganMs: number | undefined;
  /** Nodes to which sums are on their way out of the contribution slots, and out of the reduction. */
  readonly #partialsTo = new Set<number>();
  readonly #reducedTo = new Set<number>();
  readonly #rounded: readonly Span[];

  constructor(
    private readonly parts: SharedParts,
    private readonly me: number,
    private readonly linkTo: (node: number) => Link | undefined,
  ) {
    this.#rounded = listRounded(parts.layout, parts.data.recipe);
  }

  /** Whether a node's connection takes more buckets. */
  hasRoom(node: number): boolean {
    return (this.linkTo(node)?.inFlight ?? 0) < WINDOW;
  }

  /** For each of these nodes whose connection is full, a promise of room. */
  awaitRoom(nodes: readonly number[]): Promise<void>[] {
    return nodes.filter((node) => !this.hasRoom(node)).map(async (node) => this.linkTo(node)?.drain(WINDOW - 1));
  }

  /** A bucket of each of these canonical nodes, to the bucket's owner. */
  sendPartials({ step, generation }: Assignment, own: readonly Held[], { owner, offset, length }: Bucket): void {
    this.beganMs ??= performance.now();
    for (const { range, unit } of own) {
      const bytes = this.#encode(unit, offset, length);
      this.linkTo(owner)?.send({ type: 'partial', step, generation, ...range, offset }, bytes);
    }
    this.#partialsTo.add(owner);
  }

  /** A bucket of the finished reduction, to every other replica. */
  sendReduced({ step, generation, replicas }: Assignment, { offset, length }: Bucket): void {
    const bytes = this.#encode(this.parts.memory.reductionAt, offset, length);
    for (const node of replicas) {
      if (node === this.me) continue;
      const link = this.linkTo(node);
      link?.send({ type: 'reduced', step, generation, offset }, bytes);
      // the others wait for it, and here an update is next
      link?.flush();
      this.#reducedTo.add(node);
    }
  }

  /** Resolves when the contribution slots may be overwritten. */
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
    const floats = this.parts.data.arena.subarray(unit * 16 + offset, unit * 16 + offset + length);
    return new BucketForm(offset, length, this.#rounded).encode(floats);
  }
}
