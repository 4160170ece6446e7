/** How fast a node is, from its own history. */
import type { NodeShare } from '@lockstep/core/events';
import { Recent } from './recent.js';

/** Nobody computes a shard in less, whatever a node or its clock says. */
const LEAST_SHARD_MS = 0.001;

export class Pace {
  readonly #shard = new Recent();
  readonly #compute = new Recent();
  readonly #step = new Recent();
  readonly #exchange = new Recent();

  /** Milliseconds per shard; undefined until measured. */
  get shardMs(): number | undefined {
    return this.#shard.median;
  }

  /** Share of a step that is not computing, from 0 to 1; 0 until measured. */
  get communication(): number {
    const step = this.#step.median;
    return step ? Math.max(0, 1 - (this.#compute.median ?? 0) / step) : 0;
  }

  note(shards: number, computeMs: number): void {
    if (shards === 0) return;
    this.#shard.note(Math.max(LEAST_SHARD_MS, computeMs / shards));
    this.#compute.note(computeMs);
  }

  noteStep({ stepMs, exchangeMs }: { readonly stepMs: number; readonly exchangeMs: number }): void {
    this.#step.note(stepMs);
    this.#exchange.note(exchangeMs);
  }

  share(node: string, shards: number, shardSize: number): NodeShare {
    const imagesPerSecond = this.shardMs === undefined ? 0 : (1000 * shardSize) / this.shardMs;
    const exchangeMs = this.#exchange.median ?? 0;
    return { node, shards, imagesPerSecond, communication: this.communication, exchangeMs };
  }
}
