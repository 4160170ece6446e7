/** A node at the far end of a connection, as the coordinator knows it. */
import { isLoopbackHost } from '@lockstep/core/door';
import type { Link, MessageOf } from '@lockstep/core/wire';
import { Pace } from './pace.js';

export class RemoteNode {
  readonly pace = new Pace();
  /** Whether it gets no shards before a comparison of its replica has agreed. */
  isOnProbation = false;
  /** Whether it has gone because it was asked to. */
  hasLeft = false;
  /** Whether it has the state of the step to come. */
  hasState = false;
  /** The state that it was sent before it was taken in, and whether it has said that it has it. */
  offered: { readonly step: number; readonly lineage: number; readonly isWhole: boolean } | undefined;
  isRestored = false;
  /** What it said that it has of a state. */
  held: MessageOf<'ready'>['held'];
  /** Steps that its replica has applied. */
  appliedSteps = 0;
  /** Whether another node has found the run's token at the port that it told. */
  isReached = false;
  /** Nodes that it says it has a connection to. */
  reachable: ReadonlySet<number> = new Set();

  constructor(
    readonly id: number,
    readonly link: Link,
    private readonly hello: MessageOf<'hello'>,
    /** Of no other node of the run. */
    readonly name: string,
  ) {}

  /** What it calls itself, which others may too. */
  get saidName(): string {
    return this.hello.name;
  }

  /** The same when it comes again. */
  get key(): string {
    return nodeKey(this.host, this.saidName);
  }

  get publicKey(): string {
    return this.hello.key;
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

  /**
   * Where another node reaches it in a mesh; undefined when it does not listen, or has an address that means another machine
   * there. One on the coordinator's machine is where the other has found the coordinator.
   */
  meshUrlFor(other: RemoteNode): string | undefined {
    const { meshPort } = this.hello;
    const host = isLoopbackHost(this.host) && !isLoopbackHost(other.host) ? other.link.localHost : this.host;
    // what stands behind % is the name of an interface of this machine
    if (meshPort === undefined || host === undefined || host.includes('%')) return undefined;
    return `ws://${host.includes(':') ? `[${host}]` : host}:${meshPort}`;
  }

  get host(): string {
    return hostOf(this.address);
  }
}

/** The same when a node comes again. */
export const nodeKey = (host: string, saidName: string): string => `${host} ${saidName}`;

/** Of `10.0.0.7:51012`: 10.0.0.7. */
export const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':')).replace(/^::ffff:/, '');
