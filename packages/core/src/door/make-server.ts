/** The one maker of servers that others can reach: each has a door before it. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { Door, doorOptions } from './door.js';

/** In PEM. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/**
 * Makes a server, which is not listening yet: `openPort` has it do so.
 *
 * @param answer takes requests that are no upgrades
 * @param tls for https
 * @throws Error when certificate and key are none
 */
export function makeServer(
  answer?: RequestListener,
  tls?: Certificate,
): { readonly server: Server; readonly door: Door } {
  const server = tls ? createTlsServer({ ...doorOptions, ...tls }, answer) : createServer(doorOptions, answer);
  return { server, door: new Door(server) };
}
