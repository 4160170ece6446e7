/** Asks a coordinator who is in its run: a visit, which is over with the answer. */
import { LockstepError } from '@lockstep/core/errors';
import type { Roster } from '@lockstep/core/events';
import { LOCKSTEP_VERSION } from '@lockstep/core/files';
import { plainText } from '@lockstep/core/text';
import {
  Conversation,
  createNonce,
  createProof,
  isSameProof,
  PROTOCOL_VERSION,
  readLinkTimings,
  readRoster,
} from '@lockstep/core/wire';
import { connect } from './connect.js';

const ANSWER_MS = 10_000;

export interface VisitOptions {
  readonly url: string;
  readonly token: Uint8Array;
  readonly tlsCa?: Uint8Array | undefined;
  /** Name or address of nodes whose strikes are to be taken back. */
  readonly pardon?: string | undefined;
}

/**
 * Asks, and has the coordinator prove the token.
 *
 * @throws LockstepError LOCKSTEP_CONNECT, LOCKSTEP_NODE_TOKEN, or what the coordinator gives as reason
 */
export async function visit({ url, token, tlsCa, pardon }: VisitOptions): Promise<Roster> {
  const link = await connect(url, { timings: readLinkTimings(process.env), ca: tlsCa });
  try {
    const talk = new Conversation(link);
    const challenged = await talk.next('challenge', ANSWER_MS);
    const said = { protocol: PROTOCOL_VERSION, version: LOCKSTEP_VERSION, nonce: createNonce() };
    const ask = { type: 'ask', ...said, ...(pardon !== undefined && { pardon: plainText(pardon) }) } as const;
    link.send({ ...ask, proof: createProof(token, 'visitor', [challenged, { message: ask }]) });
    const answered = await talk.next('roster', ANSWER_MS);
    const proof = createProof(token, 'coordinator', [challenged, { message: ask }, answered]);
    if (!isSameProof(answered.message.proof, proof)) {
      throw new LockstepError(
        'LOCKSTEP_NODE_TOKEN',
        'the coordinator does not hold the token that was given here. Is that the right machine?',
      );
    }
    return readRoster(answered.payload);
  } finally {
    link.close(undefined, 'the visit is over');
  }
}
