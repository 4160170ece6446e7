/**
 * The limits of every port that others can reach: of the coordinator, of a mesh, of the live page, of metrics and probes.
 * Whoever has not proved that he holds the run's secret is a stranger: there is room for so many, each address has a share
 * of it, and where that is used up the oldest goes, so that silent connections keep nobody out.
 */
import type { IncomingMessage, Server, ServerOptions } from 'node:http';

type Socket = IncomingMessage['socket'];

export interface DoorLimits {
  /** Connections in all. */
  readonly connections: number;
  /** Of them those of strangers. */
  readonly strangers: number;
  /** Of one address; an IPv6 network of 64 bits counts as one. */
  readonly strangersOfAddress: number;
  /** For a request to come in whole, and for a WebSocket to be opened. */
  readonly requestMs: number;
}

export const doorLimits: DoorLimits = {
  connections: 1100,
  strangers: 256,
  strangersOfAddress: 64,
  requestMs: 5000,
};

/** What the server of a door is made with: it looks for connections that are late twice a second. */
export const doorOptions = { maxHeaderSize: 8192, connectionsCheckingInterval: 500 } as const satisfies ServerOptions;

const LOOPBACK = ['127.0.0.1', '[::1]', '::1', 'localhost'];

/** Whether only this machine can reach a host, as it is written in an address or a URL. */
export const isLoopbackHost = (host: string): boolean => LOOPBACK.includes(host) || /^127\.\d+\.\d+\.\d+$/.test(host);

export class Door {
  /** The oldest first. */
  readonly #strangers = new Map<Socket, string>();
  readonly #connections = new Set<Socket>();

  /** @param server made with `doorOptions`, not listening yet */
  constructor(
    server: Server,
    private readonly limits: DoorLimits = doorLimits,
  ) {
    server.headersTimeout = limits.requestMs;
    server.requestTimeout = limits.requestMs;
    server.maxConnections = limits.connections;
    server.on('connection', (socket: Socket) => this.#take(socket));
  }

  /** A connection has proved the secret: it takes no stranger's room any more. */
  know(socket: Socket): void {
    this.#strangers.delete(socket);
  }

  /** Ends every connection at once. */
  close(): void {
    for (const socket of this.#connections) socket.destroy();
  }

  get connections(): number {
    return this.#connections.size;
  }

  #take(socket: Socket): void {
    socket.setNoDelay(true);
    this.#connections.add(socket);
    this.#strangers.set(socket, shareOf(socket.remoteAddress ?? ''));
    socket.on('close', () => {
      this.#connections.delete(socket);
      this.#strangers.delete(socket);
    });
    this.#makeRoom();
  }

  #makeRoom(): void {
    const counts = new Map<string, number>();
    for (const address of this.#strangers.values()) counts.set(address, (counts.get(address) ?? 0) + 1);
    const [address, count] = [...counts].reduce((most, next) => (next[1] > most[1] ? next : most), ['', 0]);
    const { strangers, strangersOfAddress } = this.limits;
    if (count <= strangersOfAddress && this.#strangers.size <= strangers) return;
    const oldest = [...this.#strangers].find(([, of]) => of === address)?.[0];
    if (!oldest) return;
    this.#strangers.delete(oldest);
    oldest.destroy();
  }
}

/** Whoever has one IPv6 address of a network has all of them. */
function shareOf(address: string): string {
  const plain = address.replace(/^::ffff:/, '');
  return plain.includes(':') ? plain.split(':').slice(0, 4).join(':') : plain;
}

/**
 * Why a request comes from a web page of somebody else in this machine's browser; undefined when it does not. Such a page
 * reaches ports of this machine, and a DNS name of its own can be bound to them.
 *
 * @param isLocal whether the port is for this machine alone, without a secret: then the host named must be this machine
 * @param ownOrigin whether a page of this port itself may ask
 */
export function refuseForeignPage(
  { headers }: IncomingMessage,
  { isLocal, ownOrigin }: { readonly isLocal: boolean; readonly ownOrigin: boolean },
): string | undefined {
  const host = headers.host ?? '';
  const name = host.replace(/:\d+$/, '');
  if (isLocal && !isLoopbackHost(name)) return `this port is for this machine; it is not at ${name}`;
  const { origin } = headers;
  if (origin !== undefined && !(ownOrigin && origin === `http://${host}`))
    return `another page, ${origin}, asked for it`;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && !(ownOrigin && (site === 'same-origin' || site === 'none')))
    return 'another page asked for it';
  return undefined;
}
