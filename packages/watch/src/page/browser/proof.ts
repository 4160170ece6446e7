/** Proves a secret without sending it. The browser's own HMAC is not there on plain http pages of other machines. */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** The server's side is `proveView` of access.ts. */
export const proveView = (secret: string, nonce: string): string =>
  bytesToHex(hmac(sha256, utf8ToBytes(secret), utf8ToBytes(`lockstep view ${nonce}`)));
