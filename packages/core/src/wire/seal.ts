/**
 * The seal of a frame: a Poly1305 tag over its bytes, under a one-time key of its own. It is RFC 8439's
 * ChaCha20-Poly1305 with nothing to encipher. By node:crypto; where that has no such cipher (Bun, an OpenSSL that is
 * held to FIPS) by @noble/ciphers, to the same bits.
 */
import { createCipheriv } from 'node:crypto';
import { createRequire } from 'node:module';

export const SEAL_BYTES = 16;

/**
 * @param key 32 bytes
 * @param nonce 12 bytes, for one seal under this key
 * @param parts what is sealed, one after the other
 * @returns 16 bytes
 */
export type Seal = (key: Uint8Array, nonce: Uint8Array, parts: readonly Uint8Array[]) => Buffer;

export const sealByNode: Seal = (key, nonce, parts) => {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: SEAL_BYTES });
  // what is authenticated and not enciphered; `plaintextLength` is for other modes
  for (const part of parts) cipher.setAAD(part, { plaintextLength: 0 });
  cipher.final();
  return cipher.getAuthTag();
};

/** Loaded only where it is needed: it takes as long as the rest of this room. */
export function openNobleSeal(): Seal {
  const noble = createRequire(import.meta.url)('@noble/ciphers/chacha.js') as typeof import('@noble/ciphers/chacha.js');
  const nothing = new Uint8Array(0);
  return (key, nonce, parts) => Buffer.from(noble.chacha20poly1305(key, nonce, Buffer.concat(parts)).encrypt(nothing));
}

/** What this runtime can do, found by trying `seal`. */
export function chooseSeal(seal: Seal = sealByNode): Seal {
  try {
    seal(new Uint8Array(32), new Uint8Array(12), []);
    return seal;
  } catch {
    return openNobleSeal();
  }
}
