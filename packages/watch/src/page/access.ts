/**
 * Who may see the page's run and press its buttons. A viewer proves a secret: the token of the run where there is one, else
 * a key that is made for this process and that only the page itself can fetch. Neither is sent: what travels is an HMAC
 * over a nonce of the connection.
 *
 * Other web pages in the user's browser can reach a port of this machine, so a request must also name a host that is ours
 * (a rebound DNS name is not) and come from our own origin.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createNonce, isSameProof } from '@lockstep/core/wire';

const LOOPBACK = ['127.0.0.1', '[::1]', 'localhost'];

export const isLoopback = (host: string): boolean => [...LOOPBACK, '::1'].includes(host);

export class Access {
  readonly #secret: Uint8Array;
  /** For the page alone; undefined when people bring a token. */
  readonly key: string | undefined;

  constructor(
    token: Uint8Array | undefined,
    private readonly isLocal: boolean,
  ) {
    this.key = token === undefined ? randomBytes(32).toString('hex') : undefined;
    this.#secret = token ?? Buffer.from(this.key as string);
  }

  createNonce(): string {
    return createNonce();
  }

  /** Whether a viewer has proved the secret for a connection's nonce. */
  isProof(nonce: string, proof: string): boolean {
    return isSameProof(proveView(this.#secret, nonce), proof);
  }

  /** Why a request is not answered; undefined when it is. */
  refuse({ headers }: IncomingMessage): string | undefined {
    const host = headers.host ?? '';
    const name = host.replace(/:\d+$/, '');
    if (this.isLocal && !LOOPBACK.includes(name)) return `this page is for this machine; it is not at ${name}`;
    const { origin } = headers;
    if (origin !== undefined && origin !== `http://${host}`) return `another page, ${origin}, asked for it`;
    const site = headers['sec-fetch-site'];
    if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'another page asked for it';
    return undefined;
  }
}

/** The browser's side is browser/proof.ts. */
export const proveView = (secret: Uint8Array, nonce: string): string =>
  createHmac('sha256', secret).update(`lockstep view ${nonce}`).digest('hex');
