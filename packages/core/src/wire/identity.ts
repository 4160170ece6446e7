/**
 * Who a node is to the other nodes of a mesh. The token says only that it is one of the run; each has a pair of keys
 * besides, the coordinator tells every node the public ones, and what two nodes say to each other is proven and sealed by
 * what follows from both pairs: no third one that holds the token can speak for either of them.
 */
import { createECDH, createHmac } from 'node:crypto';
import { LockstepError } from '../errors/errors.js';

/** One that an OpenSSL which is held to FIPS has too. */
const CURVE = 'prime256v1';

export class Identity {
  readonly #pair = createECDH(CURVE);
  /** The public key: a point of P-256, compressed, as 66 hex digits. */
  readonly key = this.#pair.generateKeys('hex', 'compressed');

  /**
   * What this node and the one of that key have in common, and nobody else: 32 bytes.
   *
   * @param token of the run
   * @throws LockstepError LOCKSTEP_NODE_IDENTITY when it is no key
   */
  secretWith(token: Uint8Array, key: string): Buffer {
    return createHmac('sha256', token).update('lockstep pair').update(this.#sharedWith(key)).digest();
  }

  #sharedWith(key: string): Buffer {
    try {
      return this.#pair.computeSecret(key, 'hex');
    } catch (cause) {
      throw new LockstepError('LOCKSTEP_NODE_IDENTITY', `the key of a node is none: ${key}.`, { cause });
    }
  }
}
