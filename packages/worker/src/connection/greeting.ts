/** A node's side of the handshake: from a connection to a node that is ready for the state. */
import type { Dataset } from '@lockstep/core/data';
import { LockstepError } from '@lockstep/core/errors';
import { isRecord, LOCKSTEP_VERSION, parseJson } from '@lockstep/core/files';
import { type ModelSpec, parseModelSpec, type Recipe } from '@lockstep/core/spec';
import { plainText } from '@lockstep/core/text';
import {
  type Carriers,
  type Conversation,
  carryBy,
  createNonce,
  createProof,
  type DatasetHeader,
  deriveFrameKey,
  hashRun,
  isSameProof,
  type Link,
  type MessageOf,
  PROTOCOL_VERSION,
} from '@lockstep/core/wire';
import { readRecipe } from '@lockstep/core/zoo';
import type { DatasetArrival } from './dataset-cache.js';

/** How a node presents itself. */
export interface NodeCard {
  readonly name: string;
  readonly workers: number;
  readonly engine: string;
  /** Its public key, for other nodes. */
  readonly key: string;
  readonly meshPort: number | undefined;
  readonly carriers: Carriers | undefined;
}

/** What the coordinator says of the run. */
export interface RunTerms {
  readonly node: number;
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly runHash: string;
  readonly header: DatasetHeader;
}

const GREETING_MS = 10_000;
/** For each piece of the dataset. */
const PIECE_MS = 30_000;

/**
 * Proves the token, and has the coordinator prove it.
 *
 * @throws LockstepError LOCKSTEP_NODE_VERSION, LOCKSTEP_NODE_TOKEN, or what the coordinator gives as reason
 */
export async function greet(link: Link, talk: Conversation, token: Uint8Array, card: NodeCard): Promise<RunTerms> {
  const challenged = await talk.next('challenge', GREETING_MS);
  const { message: challenge } = challenged;
  if (challenge.protocol !== PROTOCOL_VERSION || challenge.version !== LOCKSTEP_VERSION) {
    throw new LockstepError(
      'LOCKSTEP_NODE_VERSION',
      `the coordinator runs Lockstep ${challenge.version} (protocol ${challenge.protocol}), this node ${LOCKSTEP_VERSION} ` +
        `(protocol ${PROTOCOL_VERSION}). Install the same release on both.`,
    );
  }
  const nonces = { listener: challenge.nonce, caller: createNonce() };
  const { name, workers, engine, key, meshPort, carriers } = card;
  const hello = {
    type: 'hello',
    protocol: PROTOCOL_VERSION,
    version: LOCKSTEP_VERSION,
    nonce: nonces.caller,
    name: plainText(name),
    workers,
    engine,
    key,
    ...(meshPort !== undefined && { meshPort }),
    ...(carriers && { rank: carriers.rank }),
  } as const;
  const said = [challenged, { message: hello }];
  link.send({ ...hello, proof: createProof(token, 'node', said) });
  const welcomed = await talk.next('welcome', GREETING_MS);
  const { message: welcome, payload } = welcomed;
  if (!isSameProof(welcome.proof, createProof(token, 'coordinator', [...said, welcomed]))) {
    throw new LockstepError(
      'LOCKSTEP_NODE_TOKEN',
      'the coordinator does not hold the token of this node. Is that the right machine?',
    );
  }
  link.secure(deriveFrameKey(token, nonces));
  carryBy(link, carriers, welcome.rank);
  return readTerms(welcome, payload);
}

function readTerms(welcome: MessageOf<'welcome'>, payload: Uint8Array): RunTerms {
  const { node, seed, dataset: header } = welcome;
  const run = parseRun(payload);
  const model = parseModelSpec(run['model'], 'the coordinator');
  const recipe = readRecipe(run['recipe'], () => 'the coordinator');
  return { node, model, recipe, seed, runHash: hashRun(model, recipe, seed), header };
}

function parseRun(payload: Uint8Array): Record<string, unknown> {
  const parsed = parseJson(Buffer.from(payload).toString());
  if ('fault' in parsed) {
    const { line, column, text } = parsed.fault;
    const place = `line ${line}, column ${column}: ${text}`;
    throw new LockstepError('LOCKSTEP_NODE_MESSAGE', `the coordinator sent a run that is not JSON: ${place}.`);
  }
  if (isRecord(parsed.value)) return parsed.value;
  throw new LockstepError('LOCKSTEP_NODE_MESSAGE', 'the coordinator sent a run that is no JSON object.');
}

/**
 * Gets from the coordinator what is not there yet of the dataset.
 *
 * @param onPiece called with the offset of each
 */
export async function receiveDataset(
  link: Link,
  talk: Conversation,
  arrival: DatasetArrival,
  onPiece: (offset: number) => void,
): Promise<Dataset> {
  const held = arrival.describe();
  link.send({ type: 'inquire', needsData: true, ...(held.bytes > 0 && { held }) });
  while (!arrival.isComplete) {
    const { message, payload } = await talk.next('dataset', PIECE_MS);
    arrival.add(message.offset, payload);
    onPiece(message.offset);
  }
  return arrival.finish();
}
