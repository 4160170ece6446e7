/** A node at the far end of a connection, as the coordinator knows it. */
import type { Link, MessageOf } from '@lockstep/core/wire';
import { Pace } from './pace.js';

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
    const { engine, rank } = this.hello;
    return rank === undefined ? engine : `${engine}, MPI rank ${rank}`;
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
