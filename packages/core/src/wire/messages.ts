/**
 * What nodes say to each other, as data: every message is one object of this file, checked before it is used, with the
 * bytes that go with it (floats, a piece of the dataset) beside it. frames.ts says how it travels.
 *
 *   coordinator                          node
 *   challenge (nonce)          ->
 *                              <-        hello (nonce, proof of the token)         or ask, answered by roster
 *   welcome (proof, the run)   ->                                              or refused
 *                              <-        inquire (whether the data is needed, and what of it is there)
 *   dataset, dataset, ...      ->
 *                              <-        ready (self-test, checksums, what it has of a state)
 *   state, state, ...          ->                                              while the others go on; at a step boundary, where they have
 *                              <-        restored
 *   assign                     ->                                              once per step and attempt, one step ahead
 *                              <-        partial, partial, ...                 towards whoever owns the bucket
 *   reduced, reduced, ...      ->                                              from there
 *                              <-        computing                             every two seconds, while its kernels go on
 *                              <-        contributed                           where it takes long from here on
 *                              <-        applied
 */
import { z } from 'zod';
import { pixelLayouts } from '../data/pictures/pixel-form.js';
import { LockstepError } from '../errors/errors.js';
import { plainText } from '../text/plain-text.js';

/** Changes when a message changes. */
export const PROTOCOL_VERSION = 9;

const count = z.int().min(0).max(0xffff_ffff);
/** Steps attempted, over restarts: begins with the seconds of a clock, which outgrow 32 bits. */
const generation = z.int().min(0);
/** For people: shown as it is, it could move their cursor or forge lines of a log. */
const text = z.string().max(2048).transform(plainText);
const version = z.string().regex(/^[\w.+-]{0,64}$/, 'the version of a release');
/** Of a process among those that MPI has started. */
const rank = z.int().min(0).max(0xffff);
const hash = z.string().regex(/^[0-9a-f]{64}$/, '64 hex digits');
/** A node's public key, see identity.ts. */
const nodeKey = z.string().regex(/^0[23][0-9a-f]{64}$/, 'a compressed point of P-256');
const code = z.string().regex(/^LOCKSTEP_[A-Z_]{1,60}$/);
const milliseconds = z.number().min(0).max(1e9);
const range = z.strictObject({ begin: count, end: count });
const side = z.int().min(1).max(65_536);
const channelValues = z.array(z.number()).max(64);

const challenge = z.strictObject({ type: z.literal('challenge'), protocol: count, version, nonce: hash });

const hello = z.strictObject({
  type: z.literal('hello'),
  protocol: count,
  version,
  nonce: hash,
  proof: hash,
  /** For people. */
  name: z.string().min(1).max(100).transform(plainText),
  workers: z.int().min(1).max(4096),
  engine: text,
  /** Who it is to other nodes: what they hear by this key, no other node has said. */
  key: nodeKey,
  /** Port at which the node takes connections of other nodes. */
  meshPort: z.int().min(1).max(65_535).optional(),
  /** With --transport mpi. */
  rank: rank.optional(),
});

/** In the place of hello: somebody who holds the token, and does not compute, asks who is in the run. */
const ask = z.strictObject({
  type: z.literal('ask'),
  protocol: count,
  version,
  nonce: hash,
  proof: hash,
  /** Name or address of nodes that are to be let in again though they broke rules. */
  pardon: text.optional(),
});
/** The answer, with a `Roster` as JSON beside it. */
const roster = z.strictObject({ type: z.literal('roster'), proof: hash });

const refused = z.strictObject({ type: z.literal('refused'), code, text });

/** How files were read, for a node that has a copy of them. */
const dataForm = z.strictObject({
  resize: z.strictObject({ height: side, width: side }).optional(),
  channels: side.optional(),
  labelColumn: text.optional(),
  csvShape: z.strictObject({ channels: side, height: side, width: side }).optional(),
  csvLayout: z.enum(pixelLayouts).optional(),
  heldOut: count.optional(),
});

/** What a node must know of the dataset before it has it. */
const datasetHeaderSchema = z.strictObject({
  name: text,
  source: text,
  channels: side,
  height: side,
  width: side,
  classes: side,
  mean: channelValues,
  std: channelValues,
  counts: z.strictObject({ train: count, validation: count, test: count }),
  checksum: hash,
  form: dataForm.optional(),
});
export type DatasetHeader = z.output<typeof datasetHeaderSchema>;

/** With model and recipe as JSON beside it. */
const welcome = z.strictObject({
  type: z.literal('welcome'),
  proof: hash,
  node: z.int().min(1).max(0xffff_ffff),
  seed: z.int().min(0),
  runHash: hash,
  dataset: datasetHeaderSchema,
  rank: rank.optional(),
});

/** What is there of something that travels in pieces: so many bytes from its beginning, and their SHA-256. */
const held = z.strictObject({ bytes: count, hash });
export type Held = z.output<typeof held>;
const inquire = z.strictObject({ type: z.literal('inquire'), needsData: z.boolean(), held: held.optional() });
const piece = { offset: count, total: count };
const dataset = z.strictObject({ type: z.literal('dataset'), ...piece });
const ready = z.strictObject({
  type: z.literal('ready'),
  runHash: hash,
  checksum: hash,
  selfTest: hash,
  /** Of the state after so many steps. */
  held: held.extend({ step: count }).optional(),
});

/** State and optimizer slots of a version, as bytes beside it. */
const state = z.strictObject({ type: z.literal('state'), step: count, ...piece });
/** The state is there; the node is at it with the next assignment. */
const restored = z.strictObject({ type: z.literal('restored'), step: count });

/** The other nodes, by their keys; with the addresses of those that this one is to call. */
const peers = z.strictObject({
  type: z.literal('peers'),
  peers: z.array(z.strictObject({ node: count, key: nodeKey, url: text.optional() })).max(1024),
});
export type PeerCard = z.output<typeof peers>['peers'][0];
/** Nodes that this one has a connection to. */
const reachable = z.strictObject({ type: z.literal('reachable'), nodes: z.array(count).max(1024) });

const assignmentSchema = z.strictObject({
  type: z.literal('assign'),
  step: count,
  /** Grows with every attempt at a step: what belongs to an older one is dropped. */
  generation,
  /** Shards of every node that computes, in the order of shards. */
  members: z.array(z.strictObject({ node: count, range })).max(1024),
  /** Who finishes the reduction: the vector is cut into one slice per entry; nobody: each replica, of what all others send. */
  owners: z.array(count).max(1024),
  /** Who gets the finished reduction: every replica. */
  replicas: z.array(count).max(1025),
  /** The replicas in groups, each with its leader first, through whom alone sums come and go; none: they go straight. */
  groups: z.array(z.array(count).min(1).max(1025)).max(1025),
  /** Whether `applied` brings a hash of the new state. */
  withHash: z.boolean(),
});
export type Assignment = z.output<typeof assignmentSchema>;

/** Whether nodes send sums to each other; else all of them go to the coordinator and come from it. */
export const isAmongNodes = ({ owners, groups }: Assignment): boolean => owners.length > 1 || groups.length > 0;

/** One bucket of one partial of the sender's range; floats beside it. */
const partial = z.strictObject({
  type: z.literal('partial'),
  step: count,
  generation,
  begin: count,
  end: count,
  offset: count,
});
/** One bucket of the finished reduction; floats beside it. */
const reduced = z.strictObject({ type: z.literal('reduced'), step: count, generation, offset: count });

/** The node's shards are not computed yet, and its kernels have gone on since it said so last. */
const computing = z.strictObject({ type: z.literal('computing'), step: count, generation });
/** The node's shards are computed and on their way. */
const contributed = z.strictObject({
  type: z.literal('contributed'),
  step: count,
  generation,
  computeMs: milliseconds,
});
/** The new state is complete. */
const applied = z.strictObject({
  type: z.literal('applied'),
  step: count,
  generation,
  computeMs: milliseconds,
  /** Sums and updates after that; the rest of the step is communication. */
  updateMs: milliseconds,
  /** From the first sums that it sent, maybe while it was computing. */
  exchangeMs: milliseconds,
  stepMs: milliseconds,
  hash: hash.optional(),
});
/** Another node broke a rule. */
const fault = z.strictObject({
  type: z.literal('fault'),
  step: count,
  generation,
  node: count,
  code,
  text,
});
const leaving = z.strictObject({ type: z.literal('leaving'), text });
/** The run is over: how, and the exit code that says so, which is the run's own and that of its nodes. */
const end = z.strictObject({ type: z.literal('end'), text, exitCode: z.int().min(0).max(255) });

/** Between two nodes of a mesh: who calls; the called one answers with a challenge first. */
const peerHello = z.strictObject({
  type: z.literal('peer'),
  node: count,
  /** Who is thought to listen there. */
  called: count,
  nonce: hash,
  proof: hash,
  rank: rank.optional(),
});
const peerWelcome = z.strictObject({ type: z.literal('peer-welcome'), proof: hash, rank: rank.optional() });

const messageSchema = z.discriminatedUnion('type', [
  challenge,
  hello,
  ask,
  roster,
  refused,
  welcome,
  inquire,
  dataset,
  ready,
  state,
  restored,
  peers,
  reachable,
  assignmentSchema,
  partial,
  reduced,
  computing,
  contributed,
  applied,
  fault,
  leaving,
  end,
  peerHello,
  peerWelcome,
]);

export type Message = z.output<typeof messageSchema>;
export type MessageType = Message['type'];
/** All that can be said. */
export const messageTypes: readonly MessageType[] = messageSchema.options.map(({ shape }) => shape.type.value);
export type MessageOf<T extends MessageType> = Extract<Message, { type: T }>;

/**
 * Checks the form of a message.
 *
 * @throws LockstepError LOCKSTEP_NODE_MESSAGE naming the field
 */
export function parseMessage(value: unknown): Message {
  const result = messageSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = (issue?.path ?? []).map(String).join('.');
  throw new LockstepError(
    'LOCKSTEP_NODE_MESSAGE',
    plainText(
      `a message does not have its form${where === '' ? '' : ` at ${where.slice(0, 100)}`}: ${issue?.message.slice(0, 200)}. Do both sides run the same release?`,
    ),
  );
}
