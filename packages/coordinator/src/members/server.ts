/** The coordinator's one port: takes connections, within limits, and hands them on as links. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket as TcpSocket } from 'node:net';
import { LockstepError, openPort } from '@lockstep/core/errors';
import { Link, type LinkTimings, MAX_FRAME_BYTES, readLinkTimings, type Socket } from '@lockstep/core/wire';
import { type WebSocket, WebSocketServer } from 'ws';

export interface ListenOptions {
  /** Name or address; `0.0.0.0` for all. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Of the run; without one only this machine may connect. */
  readonly hasToken: boolean;
  /** PEM files, for wss. */
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
}

export interface NodeServer {
  /** `ws://127.0.0.1:7400`. */
  readonly url: string;
  close(): Promise<void>;
}

/** Connections that have not shaken hands yet; more are turned away. */
const MAX_STRANGERS = 64;
/** TCP connections in all. */
const MAX_CONNECTIONS = 1100;
/** For the HTTP request that a WebSocket begins with. */
const UPGRADE_MS = 5000;
const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

/**
 * Opens the port.
 *
 * @param onLink gets each connection; resolves when it is a node or is turned away
 * @throws LockstepError LOCKSTEP_LISTEN_TOKEN when others than this machine could connect without a token,
 *   LOCKSTEP_LISTEN when the port cannot be had
 */
export async function listenForNodes(
  options: ListenOptions,
  onLink: (link: Link) => Promise<void>,
): Promise<NodeServer> {
  if (!options.hasToken && !LOOPBACK.includes(options.host)) {
    throw new LockstepError(
      'LOCKSTEP_LISTEN_TOKEN',
      `--listen ${options.host} lets other machines in, so it needs --token-file: without one, whoever reaches the port ` +
        'could take part in the run. To stay on this machine, listen on 127.0.0.1.',
    );
  }
  const http = createHttpServer(options);
  http.headersTimeout = UPGRADE_MS;
  http.requestTimeout = UPGRADE_MS;
  http.maxConnections = MAX_CONNECTIONS;
  const connections = new Set<TcpSocket>();
  http.on('connection', (socket: TcpSocket) => {
    connections.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => connections.delete(socket));
    limitGreeting(socket);
  });
  const server = new WebSocketServer({
    server: http,
    maxPayload: MAX_FRAME_BYTES,
    maxFragments: 16,
    maxBufferedChunks: 4096,
    perMessageDeflate: false,
  });
  acceptLinks(server, readLinkTimings(process.env), onLink);
  await listen(http, server, options);
  const { port } = http.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `${options.tlsCert === undefined ? 'ws' : 'wss'}://${host}:${port}`,
    close: () => closeAll(server, http, connections),
  };
}

/** A connection that does not become a WebSocket in time is closed, whatever it trickles. */
function limitGreeting(socket: TcpSocket): void {
  const timer = setTimeout(() => {
    if (!(socket as { isUpgraded?: boolean }).isUpgraded) socket.destroy();
  }, UPGRADE_MS);
  timer.unref();
  socket.on('close', () => clearTimeout(timer));
}

function createHttpServer({ tlsCert, tlsKey }: ListenOptions): Server {
  if (tlsCert === undefined && tlsKey === undefined) return createServer();
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new LockstepError('LOCKSTEP_TLS', '--tls-cert and --tls-key belong together: give both, or none.');
  }
  try {
    return createTlsServer({ cert: readFileSync(tlsCert), key: readFileSync(tlsKey) });
  } catch (error) {
    const text = `cannot use ${tlsCert} and ${tlsKey}: ${(error as Error).message}. They must be a certificate and its key, in PEM.`;
    throw new LockstepError('LOCKSTEP_TLS', text, { cause: error });
  }
}

function acceptLinks(server: WebSocketServer, timings: LinkTimings, onLink: (link: Link) => Promise<void>): void {
  let strangers = 0;
  server.on('connection', (socket: WebSocket, request) => {
    socket.binaryType = 'fragments';
    (request.socket as { isUpgraded?: boolean }).isUpgraded = true;
    const address = `${request.socket.remoteAddress ?? 'unknown'}:${request.socket.remotePort ?? 0}`;
    const link = new Link(socket as unknown as Socket, 'listener', address, timings);
    link.pipe = request.socket;
    if (strangers >= MAX_STRANGERS) {
      link.refuse(
        new LockstepError(
          'LOCKSTEP_NODE_CROWD',
          `${strangers} connections have not shaken hands yet. Try again later.`,
        ),
      );
      return;
    }
    strangers += 1;
    void onLink(link).finally(() => (strangers -= 1));
  });
}

/** ws hands each error of the port to its own server too, where nobody listening ends the process. */
async function listen(http: Server, server: WebSocketServer, options: ListenOptions): Promise<void> {
  server.on('error', () => {});
  await openPort(
    http,
    options,
    (trouble) => new LockstepError('LOCKSTEP_LISTEN', `cannot listen on ${trouble}. Choose another --listen.`),
  );
}

async function closeAll(server: WebSocketServer, http: Server, connections: ReadonlySet<TcpSocket>): Promise<void> {
  server.close();
  await new Promise<void>((resolve) => {
    http.close(() => resolve());
    // what was sent last may still leave
    setTimeout(() => {
      for (const socket of connections) socket.destroy();
    }, 500).unref();
  });
}
