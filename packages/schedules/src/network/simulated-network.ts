/** The network between machines: ports, connections, and what becomes of them. */
import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { Door } from '@lockstep/core/door';
import { LockstepError } from '@lockstep/core/errors';
import { Link, type LinkTimings } from '@lockstep/core/wire';
import type { Network } from '@lockstep/worker/connection';
import type { Draws } from '../world/draws.js';
import type { Machine } from '../world/machine.js';
import type { World } from '../world/world.js';
import { SimulatedSocket, type Way } from './simulated-socket.js';

interface Port {
  readonly machine: Machine;
  readonly timings: LinkTimings;
  readonly door: Door;
  readonly server: EventEmitter;
  readonly make: MakeLink;
  take(link: Link): void;
}

/** How a machine makes its ends of links: a liar's says other things than its node does. */
export type MakeLink = (...args: ConstructorParameters<typeof Link>) => Link;
const makeLink: MakeLink = (...args) => new Link(...args);

const CONNECT_MS = 5000;
const FIRST_PORT = 40_000;

export class SimulatedNetwork {
  readonly sockets = new Set<SimulatedSocket>();
  readonly #ports = new Map<string, Port>();
  /** Pairs of machines between which nothing comes through, from one to the other, and until when. */
  readonly #blocked = new Map<string, number>();
  #nextPort = FIRST_PORT;
  /** Of every way. */
  bytesPerMs = 100_000;
  latencyMs: readonly [number, number] = [0.1, 2];

  constructor(
    private readonly world: World,
    private readonly draws: Draws,
  ) {}

  /** Opens a port behind a door, as servers do. */
  listen(
    machine: Machine,
    port: number,
    timings: LinkTimings,
    take: (link: Link) => void,
    make: MakeLink = makeLink,
  ): () => void {
    const server = new EventEmitter();
    const key = `${machine.host}:${port}`;
    this.#ports.set(key, { machine, timings, take, make, server, door: new Door(server as unknown as Server) });
    return () => this.#ports.delete(key);
  }

  /** What a node on this machine has for a network; `makeCalled` makes its ends of links that others have opened. */
  of(machine: Machine, make: MakeLink = makeLink, makeCalled: MakeLink = makeLink): Network {
    return {
      connect: (url, { timings }) => this.#connect(machine, url, timings, make),
      listen: async (_, port, timings, onLink) => ({
        port,
        close: this.listen(machine, port, timings, onLink, makeCalled),
      }),
    };
  }

  /** Nothing comes through from one machine to another until then. */
  block(from: Machine, to: Machine, untilMs: number): void {
    this.#blocked.set(`${from.host} ${to.host}`, untilMs);
  }

  /** A machine is no more; `isTold`: its system ends its connections. */
  lose(machine: Machine, isTold: boolean): void {
    machine.isAlive = false;
    for (const [key, port] of this.#ports) if (port.machine === machine) this.#ports.delete(key);
    for (const socket of this.#of(machine)) {
      this.sockets.delete(socket);
      socket.vanish(isTold);
    }
  }

  /** Open connections of a machine. */
  #of(machine: Machine): SimulatedSocket[] {
    return [...this.sockets].filter((socket) => socket.machine === machine);
  }

  /** Whether there is an open connection. */
  get isConnected(): boolean {
    return this.#open.length > 0;
  }

  /** An open connection, by chance. */
  pick(draws: Draws): SimulatedSocket | undefined {
    const open = this.#open;
    return open.length === 0 ? undefined : draws.pick(open);
  }

  get #open(): SimulatedSocket[] {
    return [...this.sockets].filter((socket) => socket.readyState === 1);
  }

  #wayOf(from: Machine, to: Machine): Way {
    const network = this;
    return {
      latencyMs: () => this.draws.between(...this.latencyMs),
      get bytesPerMs() {
        return Math.min(network.bytesPerMs, from.writesPerMs, to.readsPerMs);
      },
      blockedUntilMs: () => this.#blocked.get(`${from.host} ${to.host}`) ?? 0,
    };
  }

  async #connect(machine: Machine, url: string, timings: LinkTimings, make: MakeLink): Promise<Link> {
    const key = url.replace('ws://', '');
    const port = this.#ports.get(key);
    const way = port && this.#wayOf(machine, port.machine);
    const back = port && this.#wayOf(port.machine, machine);
    const isReached = way && back && Math.max(way.blockedUntilMs(), back.blockedUntilMs()) <= this.world.nowMs;
    if (!isReached) {
      const waitMs = port ? CONNECT_MS : this.draws.between(...this.latencyMs);
      await this.#pause(waitMs, machine);
      throw new LockstepError('LOCKSTEP_CONNECT', `cannot connect to ${url}: nothing answers there.`);
    }
    const socket = new SimulatedSocket(this.world, machine, way);
    const theirs = new SimulatedSocket(this.world, port.machine, back);
    socket.other = theirs;
    theirs.other = socket;
    for (const end of [socket, theirs]) {
      this.sockets.add(end);
      end.on('close', () => this.sockets.delete(end));
    }
    const link = make(socket, 'caller', url, timings);
    link.pipe = socket;
    await new Promise<void>((resolve, reject) => {
      link.onClose = (reason) =>
        reject(new LockstepError('LOCKSTEP_CONNECT', `cannot connect to ${url}: ${reason.text}`));
      this.world.after(way.latencyMs(), port.machine, () => this.#accept(port, machine, theirs));
      socket.onOpen = resolve;
    });
    return link;
  }

  #accept(port: Port, from: Machine, socket: SimulatedSocket): void {
    if (socket.readyState !== 0) return;
    socket.accept();
    const address = `${from.host}:${this.#nextPort++}`;
    const pipe = Object.assign(new EventEmitter(), {
      remoteAddress: from.host,
      setNoDelay: () => {},
      destroy: () => socket.terminate(),
    });
    socket.on('close', () => pipe.emit('close'));
    port.server.emit('connection', pipe);
    const link = port.make(socket, 'listener', address, port.timings);
    link.pipe = socket;
    link.onSecure = () => port.door.know(pipe as unknown as Parameters<Door['know']>[0]);
    port.take(link);
  }

  #pause(ms: number, machine: Machine): Promise<void> {
    return new Promise((resolve) => void this.world.after(ms, machine, resolve));
  }
}
