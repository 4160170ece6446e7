/**
 * Who may see the page's run and press its buttons. A viewer proves a secret: the token of the run where there is one, else
 * the key at the end of the address that is printed. Neither is sent: what travels is an HMAC over a nonce of the connection,
 * and what stands behind # in an address stays in the browser.
 *
 * Other web pages in the user's browser can reach a port of this machine, so a request must also name a host that is ours
 * (a rebound DNS name is not) and come from our own origin.
 */
import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { refuseForeignPage } from '@lockstep/core/door';
import { findCacheFolder } from '@lockstep/core/files';
import { createNonce, isSameProof } from '@lockstep/core/wire';
import { readPageKey } from './page-key.js';

export class Access {
  readonly #secret: Uint8Array;
  /** Of the address that is printed; undefined when people bring a token. */
  readonly key: string | undefined;

  constructor(
    token: Uint8Array | undefined,
    private readonly isLocal: boolean,
    tell?: (line: string) => void,
  ) {
    this.key = token === undefined ? readPageKey(findCacheFolder(), tell) : undefined;
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
  refuse(request: IncomingMessage): string | undefined {
    return refuseForeignPage(request, { isLocal: this.isLocal, ownOrigin: true });
  }
}

/** The browser's side is browser/proof.ts. */
export const proveView = (secret: Uint8Array, nonce: string): string =>
  createHmac('sha256', secret).update(`lockstep view ${nonce}`).digest('hex');
