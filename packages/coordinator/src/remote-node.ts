/** A node at the far end of a connection, as the coordinator knows it. */
import type { Link, MessageOf, NodeShare } from '@lockstep/core';

/** Weight of the newest step in what is known of a node's speed. */
const NEWEST = 0.2;

/** Steps that a speed is measured over, and how many it takes: the first ones start threads and compile code. */
const WINDOW = 9;
const LEAST_STEPS = 3;

/** How fast a node is, from its own history. */
export class Pace {
  readonly #recent: number[] = [];
  #count = 0;
  stepMs = 0;
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

  noteStep(stepMs: number): void {
    this.stepMs += NEWEST * (stepMs - this.stepMs);
  }

  share(node: string, shards: number, shardSize: number): NodeShare {
    const imagesPerSecond = this.shardMs === undefined ? 0 : (1000 * shardSize) / this.shardMs;
    const communication = this.stepMs > 0 ? Math.max(0, 1 - this.computeMs / this.stepMs) : 0;
    return { node, shards, imagesPerSecond, communication };
  }
}

export class RemoteNode {
  readonly pace = new Pace();
  /** Whether it has the state of the step to come. */
  hasState = false;
  /** Steps that its replica has applied. */
  appliedSteps = 0;
  /** Nodes that it has a connection to. */
  reachable: ReadonlySet<number> = new Set();

  constructor(
    readonly id: number,
    readonly link: Link,
    private readonly hello: MessageOf<'hello'>,
  ) {}

  get name(): string {
    return this.hello.name;
  }

  get workers(): number {
    return this.hello.workers;
  }

  get engine(): string {
    return this.hello.engine;
  }

  get address(): string {
    return this.link.address;
  }

  /** Where other nodes of a mesh reach it, if it listens. */
  get meshUrl(): string | undefined {
    const { meshPort } = this.hello;
    if (meshPort === undefined) return undefined;
    const host = this.address.slice(0, this.address.lastIndexOf(':')).replace(/^::ffff:/, '');
    return `ws://${host.includes(':') ? `[${host}]` : host}:${meshPort}`;
  }
}
