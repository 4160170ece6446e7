/** The coordinator's one port: takes connections, within the door's limits, and hands them on as links. */
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Door, isLoopbackHost, makeServer, openPort } from '@lockstep/core/door';
import { LockstepError } from '@lockstep/core/errors';
import { Link, type LinkTimings, linkServerRules, readLinkTimings, type Socket } from '@lockstep/core/wire';
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

/** For what was sent last to leave. */
const CLOSING_MS = 500;

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
  if (!options.hasToken && !isLoopbackHost(options.host)) {
    throw new LockstepError(
      'LOCKSTEP_LISTEN_TOKEN',
      `--listen ${options.host} lets other machines in, so it needs --token-file: without one, whoever reaches the port ` +
        'could take part in the run. To stay on this machine, listen on 127.0.0.1.',
    );
  }
  const { server: http, door } = createHttpServer(options);
  const server = new WebSocketServer({ server: http, ...linkServerRules(!options.hasToken) });
  acceptLinks(server, door, readLinkTimings(process.env), onLink);
  await listen(http, server, options);
  const { port } = http.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `${options.tlsCert === undefined ? 'ws' : 'wss'}://${host}:${port}`,
    close: () => closeAll(server, http, door),
  };
}

function createHttpServer({ tlsCert, tlsKey }: ListenOptions): ReturnType<typeof makeServer> {
  if (tlsCert === undefined && tlsKey === undefined) return makeServer();
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new LockstepError('LOCKSTEP_TLS', '--tls-cert and --tls-key belong together: give both, or none.');
  }
  try {
    return makeServer(undefined, { cert: readFileSync(tlsCert), key: readFileSync(tlsKey) });
  } catch (error) {
    const text = `cannot use ${tlsCert} and ${tlsKey}: ${(error as Error).message}. They must be a certificate and its key, in PEM.`;
    throw new LockstepError('LOCKSTEP_TLS', text, { cause: error });
  }
}

function acceptLinks(
  server: WebSocketServer,
  door: Door,
  timings: LinkTimings,
  onLink: (link: Link) => Promise<void>,
): void {
  server.on('connection', (socket: WebSocket, { socket: pipe }) => {
    socket.binaryType = 'fragments';
    const address = `${pipe.remoteAddress ?? 'unknown'}:${pipe.remotePort ?? 0}`;
    const link = new Link(socket as unknown as Socket, 'listener', address, timings);
    link.pipe = pipe;
    link.localHost = pipe.localAddress?.replace(/^::ffff:/, '');
    link.onSecure = () => door.know(pipe);
    void onLink(link);
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

async function closeAll(server: WebSocketServer, http: Server, door: Door): Promise<void> {
  server.close();
  await new Promise<void>((resolve) => {
    http.close(() => resolve());
    setTimeout(() => door.close(), CLOSING_MS).unref();
  });
}
