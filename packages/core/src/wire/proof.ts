/**
 * Proofs that both sides hold the run's token, without sending it: an HMAC over both sides' nonces and over what was
 * said so far. Who replays a recorded one meets another nonce.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ModelSpec } from '../spec/model-spec.js';
import type { Recipe } from '../spec/recipe.js';

export type ProofPurpose = 'node' | 'coordinator' | 'caller' | 'called';

/** The two nonces of a handshake: of the side that listens, and of the side that called it. */
export interface Nonces {
  readonly listener: string;
  readonly caller: string;
}

/** 32 random bytes, as hex. */
export const createNonce = (): string => randomBytes(32).toString('hex');

/** Proves the token. `about` binds what else was said: a node's id. */
export function createProof(token: Uint8Array, purpose: ProofPurpose, nonces: Nonces, about = ''): string {
  const text = `lockstep ${purpose} ${nonces.listener} ${nonces.caller} ${about}`;
  return createHmac('sha256', token).update(text).digest('hex');
}

/** Compares two proofs in a time that does not tell where they differ. */
export const isSameProof = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

/** Key of the frames that follow a handshake. */
export const deriveFrameKey = (token: Uint8Array, nonces: Nonces): Buffer =>
  createHmac('sha256', token).update(`lockstep frames ${nonces.listener} ${nonces.caller}`).digest();

/** SHA-256 (hex) over what decides a run's result besides its data; model and recipe as their schemas return them. */
export const hashRun = (model: ModelSpec, recipe: Recipe, seed: number): string =>
  createHash('sha256')
    .update(JSON.stringify([model, recipe, seed]))
    .digest('hex');
