/** How fast a node is, from its own history. */
import type { NodeShare } from '@lockstep/core';

/** Weight of the newest step in what is known of a node's speed. */
const NEWEST = 0.2;

/** Steps that a speed is measured over, and how many it takes: the first ones start threads and compile code. */
const WINDOW = 9;
const LEAST_STEPS = 3;

export class Pace {
  readonly #recent: number[] = [];
  #count = 0;
  stepMs = 0;
  #exchangeMs = 0;
  computeMs = 0;

  /** Milliseconds per shard, the median of the last steps; undefined until measured. */
  get shardMs(): number | undefined {
    if (this.#count < LEAST_STEPS + 1) return undefined;
    return [...this.#recent].sort((a, b) => a - b)[Math.floor(this.#recent.length / 2)];
  }

  note(shards: number, computeMs: number): void {
    if (shards === 0) return;
    this.#count += 1;
    if (this.#count > 1) this.#recent.push(computeMs / shards);
    if (this.#recent.length > WINDOW) this.#recent.shift();
    this.computeMs += NEWEST * (computeMs - this.computeMs);
  }

  noteStep({ stepMs, exchangeMs }: { readonly stepMs: number; readonly exchangeMs: number }): void {
    const weight = this.stepMs === 0 ? 1 : NEWEST;
    this.stepMs += weight * (stepMs - this.stepMs);
    this.#exchangeMs += weight * (exchangeMs - this.#exchangeMs);
  }

  share(node: string, shards: number, shardSize: number): NodeShare {
    const imagesPerSecond = this.shardMs === undefined ? 0 : (1000 * shardSize) / this.shardMs;
    const communication = this.stepMs > 0 ? Math.max(0, 1 - this.computeMs / this.stepMs) : 0;
    return { node, shards, imagesPerSecond, communication, exchangeMs: this.#exchangeMs };
  }
}
