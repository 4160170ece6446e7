/** A node at the far end of a connection, as the coordinator knows it. */
import type { Link, MessageOf, NodeShare } from '@lockstep/core';

/** Weight of the newest step in what is known of a node's speed. */
const NEWEST = 0.2;

/** How fast a node is, from its own history. */
export class Pace {
  /** Milliseconds per shard; undefined until measured. */
  shardMs: number | undefined;
  stepMs = 0;
  computeMs = 0;

  note(shards: number, computeMs: number): void {
    if (shards === 0) return;
    const now = computeMs / shards;
    this.shardMs = this.shardMs === undefined ? now : this.shardMs + NEWEST * (now - this.shardMs);
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
