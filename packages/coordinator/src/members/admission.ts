/** The coordinator's side of the handshake: from a connection to a node that has all it needs but the state. */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Dataset } from '@lockstep/core/data';
import { LockstepError } from '@lockstep/core/errors';
import { LOCKSTEP_VERSION } from '@lockstep/core/files';
import type { ModelSpec, Recipe } from '@lockstep/core/spec';
import {
  type Carriers,
  type Conversation,
  carryBy,
  createNonce,
  createProof,
  cutDataset,
  datasetBytes,
  deriveFrameKey,
  describeDataset,
  type Held,
  hashRun,
  isSameProof,
  type Link,
  type MessageOf,
  PROTOCOL_VERSION,
  type Said,
  type Spoken,
} from '@lockstep/core/wire';

/** What nodes are admitted to. */
export interface AdmissionTerms {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly dataset: Dataset;
  readonly token: Uint8Array;
  /** With --transport mpi. */
  readonly carriers?: Carriers | undefined;
  /** What the coordinator's own process computes with, and the self-test of that. */
  readonly engine: string;
  readonly selfTest: string;
}

const SELF_TEST_ADVICE: Readonly<Record<string, string>> = {
  native:
    'Rebuild the kernels there (npm run build; of a package, install it again), and report it if that does not help.',
  tensorflow: 'With --engine tensorflow all machines need the same kind of processor; native has no such limit.',
};
/** For each message of a handshake that needs no work. */
export const GREETING_MS = 5000;
/** For a node to load or check its data and to run the self-test. */
const PREPARATION_MS = 120_000;
/** Pieces of the dataset on their way at a time. */
const WINDOW = 8;
/** What is hashed without a pause in between, since steps go on meanwhile. */
const HASH_BYTES = 2 ** 20;

/** The first words of both sides, of which none is proven yet. */
export interface FirstWords {
  readonly challenge: MessageOf<'challenge'>;
  /** A node, or somebody who asks who is in the run. */
  readonly greeting: Said<'hello' | 'ask'>;
}

/** @throws LockstepError as `Conversation.next` */
export async function hearGreeting(link: Link, talk: Conversation): Promise<FirstWords> {
  const nonce = createNonce();
  const challenge = { type: 'challenge', protocol: PROTOCOL_VERSION, version: LOCKSTEP_VERSION, nonce } as const;
  link.send(challenge);
  return { challenge, greeting: await talk.nextOf(['hello', 'ask'], GREETING_MS) };
}

/**
 * Shakes hands: afterwards both sides have proved the token, and the node knows the run.
 *
 * @param node the id that it gets
 * @param check called when its name is known and proven; throws to refuse it, before it is sent anything
 * @throws LockstepError with the reason to refuse it
 */
export function greetNode(
  link: Link,
  { challenge, greeting }: FirstWords & { readonly greeting: Said<'hello'> },
  terms: AdmissionTerms,
  node: number,
  check: (hello: MessageOf<'hello'>) => void,
): MessageOf<'hello'> {
  const { message: hello } = greeting;
  const said = [{ message: challenge }, greeting];
  checkGreeting(hello, terms.token, said);
  check(hello);
  checkEngine(hello, terms.engine);
  const nonces = { listener: challenge.nonce, caller: hello.nonce };
  const { model, recipe, seed, dataset, carriers } = terms;
  const runHash = hashRun(model, recipe, seed);
  const run = Buffer.from(JSON.stringify({ model, recipe }));
  const welcome = {
    type: 'welcome',
    node,
    seed,
    runHash,
    dataset: describeDataset(dataset),
    ...(carriers && { rank: carriers.rank }),
  } as const;
  const proof = createProof(terms.token, 'coordinator', [...said, { message: welcome, payload: run }]);
  link.send({ ...welcome, proof }, run);
  link.secure(deriveFrameKey(terms.token, nonces));
  carryBy(link, carriers, hello.rank);
  return hello;
}

/**
 * What it asks for. Until then it may not have read the welcome, and cannot read anything that is sealed.
 *
 * @throws LockstepError as `Conversation.next`
 */
export const hearInquiry = async (talk: Conversation): Promise<MessageOf<'inquire'>> =>
  (await talk.next('inquire', PREPARATION_MS)).message;

/**
 * Gives it the data that it needs.
 *
 * @throws LockstepError with the reason to refuse it
 */
export async function prepareNode(
  link: Link,
  talk: Conversation,
  terms: AdmissionTerms,
  inquiry: MessageOf<'inquire'>,
): Promise<MessageOf<'ready'>> {
  const { model, recipe, seed, dataset } = terms;
  if (inquiry.needsData) await sendDataset(link, dataset, inquiry.held);
  const { message: ready } = await talk.next('ready', PREPARATION_MS);
  checkReady(ready, terms, hashRun(model, recipe, seed));
  return ready;
}

/**
 * Checks release and token of whoever greets.
 *
 * @param said all up to the greeting
 * @throws LockstepError LOCKSTEP_NODE_VERSION, LOCKSTEP_NODE_TOKEN
 */
export function checkGreeting(hello: MessageOf<'hello' | 'ask'>, token: Uint8Array, said: readonly Spoken[]): void {
  const who = hello.type === 'hello' ? 'node' : 'visitor';
  if (hello.protocol !== PROTOCOL_VERSION || hello.version !== LOCKSTEP_VERSION) {
    throw new LockstepError(
      'LOCKSTEP_NODE_VERSION',
      `${who === 'node' ? 'the node runs' : 'the visitor runs'} Lockstep ${hello.version} (protocol ${hello.protocol}), the coordinator ${LOCKSTEP_VERSION} ` +
        `(protocol ${PROTOCOL_VERSION}). Install the same release on both.`,
    );
  }
  if (!isSameProof(hello.proof, createProof(token, who, said))) {
    throw new LockstepError(
      'LOCKSTEP_NODE_TOKEN',
      `the ${who} does not hold the token of this run. Give both sides the same --token-file.`,
    );
  }
}

/** Of `native (avx512)`: native. */
const engineName = (engine: string): string => engine.split(' ')[0] as string;

/** Engines give other bits, so a run has one; which instruction set a node has does not matter. */
function checkEngine({ engine }: MessageOf<'hello'>, ours: string): void {
  if (engineName(engine) === engineName(ours)) return;
  throw new LockstepError(
    'LOCKSTEP_NODE_ENGINE',
    `the node computes with ${engine}, the coordinator with ${ours}, and their bits differ. ` +
      `Start it with --engine ${engineName(ours)}.`,
  );
}

/** From where the node has it, if what it has are these data. */
async function sendDataset(link: Link, dataset: Dataset, held: Held | undefined): Promise<void> {
  const total = datasetBytes(describeDataset(dataset));
  let offset = held && (await isBeginning(dataset, held)) ? held.bytes : 0;
  for (const piece of cutDataset(dataset, offset)) {
    await link.drain(WINDOW - 1);
    if (!link.isOpen) return;
    link.send({ type: 'dataset', offset, total }, piece);
    offset += piece.length;
  }
}

async function isBeginning(dataset: Dataset, { bytes, hash }: Held): Promise<boolean> {
  const sha = createHash('sha256');
  let at = 0;
  for (const piece of cutDataset(dataset, 0, HASH_BYTES)) {
    if (at >= bytes) break;
    sha.update(piece.subarray(0, bytes - at));
    at += piece.length;
    await setImmediate();
  }
  return at >= bytes && sha.digest('hex') === hash;
}

function checkReady(ready: MessageOf<'ready'>, terms: AdmissionTerms, runHash: string): void {
  const { dataset, engine, selfTest } = terms;
  const compare = (name: string, theirs: string, ours: string, code: `LOCKSTEP_${string}`, advice: string): void => {
    if (theirs === ours) return;
    throw new LockstepError(
      code,
      `the node's ${name} is ${theirs.slice(0, 16)}, the coordinator's ${ours.slice(0, 16)}. ${advice}`,
    );
  };
  compare('run', ready.runHash, runHash, 'LOCKSTEP_NODE_RUN', 'Install the same release on both.');
  compare(
    'dataset checksum',
    ready.checksum,
    dataset.checksum,
    'LOCKSTEP_NODE_DATA',
    'Leave out --data on the node to get the data from here.',
  );
  compare(
    'kernel self-test',
    ready.selfTest,
    selfTest,
    'LOCKSTEP_NODE_SELF_TEST',
    `It computes other bits, so its results cannot be used. ${SELF_TEST_ADVICE[engineName(engine)]}`,
  );
}
