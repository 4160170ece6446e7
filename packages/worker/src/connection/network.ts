/** How a node reaches others and is reached by them: over WebSockets, or in a simulation of many nodes without any. */
import type { AddressInfo } from 'node:net';
import { makeServer, openPort } from '@lockstep/core/door';
import { LockstepError } from '@lockstep/core/errors';
import { Link, type LinkTimings, linkServerRules, type Socket } from '@lockstep/core/wire';
import { WebSocketServer } from 'ws';
import { type ConnectOptions, connect } from './connect.js';

/** A port of a node that other nodes call. */
export interface MeshPort {
  readonly port: number;
  /** Ends every connection at once. */
  close(): void;
}

export interface Network {
  /** @throws LockstepError LOCKSTEP_CONNECT with why it does not work */
  connect(url: string, options: ConnectOptions): Promise<Link>;
  /**
   * Opens a port for the other nodes of a mesh.
   *
   * @param port 0: any free one
   * @throws LockstepError LOCKSTEP_LISTEN when it cannot be had
   */
  listen(host: string, port: number, timings: LinkTimings, onLink: (link: Link) => void): Promise<MeshPort>;
}

export const webSockets: Network = { connect, listen };

async function listen(
  host: string,
  port: number,
  timings: LinkTimings,
  onLink: (link: Link) => void,
): Promise<MeshPort> {
  const { server: http, door } = makeServer();
  const server = new WebSocketServer({ server: http, ...linkServerRules(false) });
  // ws hands each error of the port to its own server too, where nobody listening ends the process
  server.on('error', () => {});
  await openPort(
    http,
    { host, port },
    (trouble) => new LockstepError('LOCKSTEP_LISTEN', `cannot listen on ${trouble}. Choose another --mesh-listen.`),
  );
  server.on('connection', (socket, request) => {
    socket.binaryType = 'fragments';
    const address = `${request.socket.remoteAddress ?? 'unknown'}:${request.socket.remotePort ?? 0}`;
    const link = new Link(socket as unknown as Socket, 'listener', address, timings);
    link.pipe = request.socket;
    link.onSecure = () => door.know(request.socket);
    onLink(link);
  });
  const close = (): void => {
    server.close();
    http.close();
    for (const client of server.clients) client.terminate();
  };
  return { port: (http.address() as AddressInfo).port, close };
}
