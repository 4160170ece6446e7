/**
 * Proofs that both sides hold the run's token, without sending it: an HMAC over all that was said so far, both sides'
 * nonces among it. Who replays a recorded one meets another nonce; who changes a field on the way breaks the proof.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ModelSpec } from '../spec/model-spec.js';
import type { Recipe } from '../spec/recipe.js';

export type ProofPurpose = 'node' | 'visitor' | 'coordinator' | 'caller' | 'called';

/** The two nonces of a handshake: of the side that listens, and of the side that called it. */
export interface Nonces {
  readonly listener: string;
  readonly caller: string;
}

/** 32 random bytes, as hex. */
export const createNonce = (): string => randomBytes(32).toString('hex');

/**
 * Proves the token, and that nothing that was said before was changed on the way.
 *
 * @param said the messages of the handshake up to the one that the proof stands in, with what is beside them; a field
 *   `proof` does not count
 */
export function createProof(token: Uint8Array, purpose: ProofPurpose, said: readonly Spoken[]): string {
  const hmac = createHmac('sha256', token).update(`lockstep ${purpose}`);
  for (const { message, payload } of said) {
    const { proof: _, ...rest } = message as Record<string, unknown>;
    hmac.update(createHash('sha256').update(inOrder(rest)).digest());
    hmac.update(
      createHash('sha256')
        .update(payload ?? '')
        .digest(),
    );
  }
  return hmac.digest('hex');
}

/** A message of a handshake, and the bytes beside it. */
export interface Spoken {
  readonly message: object;
  readonly payload?: Uint8Array;
}

/** JSON whose fields stand in the order of their names: the two sides need not write them alike. */
const inOrder = (value: unknown): string =>
  JSON.stringify(value, (_, field: unknown) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1)))
      : field,
  );

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
