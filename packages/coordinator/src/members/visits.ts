/** Those who do not compute: they ask who is in the run, and may have strikes taken back (`lockstep peers`). */
import type { Roster } from '@lockstep/core/events';
import { createProof, type Link, type MessageOf } from '@lockstep/core/wire';
import { type AdmissionTerms, checkGreeting, type FirstWords } from './admission.js';
import type { Conduct } from './conduct.js';
import type { Refusals } from './refusals.js';
import type { RemoteNode } from './remote-node.js';

/** Entries of a list that are told. */
const MOST_TOLD = 256;
/** Characters of a reason that are told. */
const MOST_CHARACTERS = 500;

/**
 * What a visitor asks, if he holds the token.
 *
 * @throws LockstepError LOCKSTEP_NODE_VERSION, LOCKSTEP_NODE_TOKEN
 */
export function checkVisit(ask: MessageOf<'ask'>, { challenge, greeting }: FirstWords, token: Uint8Array): void {
  checkGreeting(ask, token, [{ message: challenge }, greeting]);
}

/** Answers a visitor, who then is done. */
export function answerVisit(link: Link, { challenge, greeting }: FirstWords, token: Uint8Array, roster: Roster): void {
  const answer = { type: 'roster' } as const;
  const payload = Buffer.from(JSON.stringify(roster));
  const proof = createProof(token, 'coordinator', [{ message: challenge }, greeting, { message: answer, payload }]);
  link.send({ ...answer, proof }, payload);
  link.close(undefined, 'it was answered');
}

export interface RosterTerms extends Pick<Roster, 'step'> {
  readonly terms: Pick<AdmissionTerms, 'model' | 'seed'>;
  readonly nodes: readonly RemoteNode[];
  readonly waiting: readonly RemoteNode[];
  readonly struck: ReturnType<Conduct['list']>;
  readonly refused: ReturnType<Refusals['list']>;
}

/** Who is in the run, and who is kept out of it. */
export function describeRoster({ terms, nodes, waiting, struck, refused, ...rest }: RosterTerms): Roster {
  const describe = (
    { name, address, workers, engine, isOnProbation }: RemoteNode,
    isIn: boolean,
  ): Roster['nodes'][0] => ({
    ...{ name, address, workers, engine },
    state: !isIn ? 'waiting' : isOnProbation ? 'on probation' : 'takes part',
  });
  const cut = <T extends { readonly reason: string }>(entry: T): T => ({
    ...entry,
    reason: entry.reason.slice(0, MOST_CHARACTERS),
  });
  return {
    run: `${terms.model.name}, seed ${terms.seed}`,
    nodes: [...nodes.map((node) => describe(node, true)), ...waiting.map((node) => describe(node, false))],
    struck: struck.slice(-MOST_TOLD).map(({ saidName, ...entry }) => cut({ name: saidName, ...entry })),
    refused: refused.map(cut),
    pardoned: 0,
    ...rest,
  };
}
