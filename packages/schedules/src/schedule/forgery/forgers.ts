/** Who sends forged frames: strangers, nodes that hold the token, nodes of a mesh, and a coordinator that nodes come to. */
import { LOCKSTEP_VERSION } from '@lockstep/core/files';
import {
  Conversation,
  createNonce,
  createProof,
  deriveFrameKey,
  Identity,
  type Link,
  type MessageOf,
  PROTOCOL_VERSION,
  readLinkTimings,
} from '@lockstep/core/wire';
import { TOKEN } from '../../machines/coordinator.js';
import type { SimulatedNetwork } from '../../network/simulated-network.js';
import type { Draws } from '../../world/draws.js';
import type { Machine } from '../../world/machine.js';
import { damageFrame, type Spoken } from './damaged-frame.js';
import { ForgedLink } from './forged-link.js';
import type { Recording } from './recording.js';
import { samples } from './samples.js';

export interface ForgerTools {
  readonly network: SimulatedNetwork;
  readonly draws: Draws;
  readonly recording: Recording;
  /** Counts a forged frame. */
  count(): void;
  /** Counts a handshake with a node of a mesh. */
  reachPeer(): void;
  /** Whether there were as many as there are to be. */
  readonly isEnough: boolean;
}

const GREETING_MS = 5000;
const MOST_FRAMES = 40;
const MOST_MS_BETWEEN = 4;
/** For the coordinator to take in who is ready. */
const TAKEN_IN_MS = 600_000;

const timings = readLinkTimings({});

/** Sends without a handshake. */
export async function forgeAsStranger(machine: Machine, url: string, tools: ForgerTools): Promise<void> {
  const link = await open(machine, url, tools);
  const { draws, recording } = tools;
  const from = draws.chance(0.5) ? recording.up.slice(0, 4) : [...recording.up, ...recording.down, ...recording.among];
  await forgeMany(link, tools, () => damageFrame(draws.pick(from), draws), draws.pick([1, 3]));
}

/** Shakes hands with a coordinator, as any node of the run does, and forges what it says from then on. */
export async function forgeAsNode(machine: Machine, url: string, tools: ForgerTools): Promise<void> {
  const { draws, recording } = tools;
  const { link } = await greetAsNode(machine, url, tools, new Identity());
  link.onFrame = () => {};
  // some get as far as into the run
  const inquiry = recording.up.find(({ message }) => message.type === 'inquire');
  const ready = recording.up.find(({ message }) => message.type === 'ready');
  if (draws.chance(0.3) && inquiry) {
    link.send({ type: 'inquire', needsData: false });
    if (draws.chance(0.5) && ready) link.send({ ...(ready.message as MessageOf<'ready'>), held: undefined } as never);
  }
  await forgeMany(link, tools, () => damageFrame(draws.pick(listAll(tools)), draws), 1 + draws.below(MOST_FRAMES));
}

async function greetAsNode(machine: Machine, url: string, tools: ForgerTools, identity: Identity) {
  const link = await open(machine, url, tools);
  const talk = new Conversation(link);
  const challenge = await talk.next('challenge', GREETING_MS);
  const { up } = tools.recording;
  const recorded = up.find(({ message }) => message.type === 'hello')?.message as MessageOf<'hello'>;
  const { meshPort: _, ...rest } = recorded;
  const hello = { ...rest, name: machine.name, key: identity.key, nonce: createNonce() };
  link.send({ ...hello, proof: createProof(TOKEN, 'node', [challenge, { message: hello }]) });
  const { message: welcome } = await talk.next('welcome', GREETING_MS);
  link.secure(deriveFrameKey(TOKEN, { listener: challenge.message.nonce, caller: hello.nonce }));
  return { link, talk, node: welcome.node };
}

/** Takes part in a run until it is told of a node, shakes hands with that, and forges what nodes say to each other. */
export async function forgeAsPeer(machine: Machine, url: string, tools: ForgerTools): Promise<void> {
  const identity = new Identity();
  const { link: up, talk, node } = await greetAsNode(machine, url, tools, identity);
  try {
    up.send({ type: 'inquire', needsData: false });
    const ready = tools.recording.up.find(({ message }) => message.type === 'ready')?.message as MessageOf<'ready'>;
    up.send({ ...ready, held: undefined });
    const { message: told } = await talk.next('peers', TAKEN_IN_MS);
    for (const { node: called, key, url } of told.peers)
      if (url !== undefined) await forgeToPeer(machine, url, { node, called }, identity.secretWith(TOKEN, key), tools);
  } finally {
    up.close(undefined, 'enough');
  }
}

async function forgeToPeer(
  machine: Machine,
  url: string,
  ids: { readonly node: number; readonly called: number },
  secret: Uint8Array,
  tools: ForgerTools,
): Promise<void> {
  const { draws } = tools;
  const link = await open(machine, url, tools);
  const talk = new Conversation(link);
  const challenge = await talk.next('challenge', GREETING_MS);
  const hello = { type: 'peer', ...ids, nonce: createNonce() } as const;
  link.send({ ...hello, proof: createProof(secret, 'caller', [challenge, { message: hello }]) });
  await talk.next('peer-welcome', GREETING_MS);
  link.secure(deriveFrameKey(secret, { listener: challenge.message.nonce, caller: hello.nonce }));
  link.onFrame = () => {};
  tools.reachPeer();
  await forgeMany(link, tools, () => damageFrame(draws.pick(listAll(tools)), draws), 1 + draws.below(MOST_FRAMES));
}

/** A coordinator whose frames are those of a real one, some of them forged. @param hasToken else it only greets */
export function forgeAsCoordinator(machine: Machine, port: number, hasToken: boolean, tools: ForgerTools): () => void {
  const { draws, network, recording } = tools;
  const answer = async (link: ForgedLink): Promise<void> => {
    if (!hasToken) {
      await forgeMany(link, tools, () => damageFrame(draws.pick(recording.down.slice(0, 6)), draws), 3);
      return;
    }
    const share = draws.pick([0.02, 0.2, 1]);
    await greetAsCoordinator(link, recording);
    // the order is that of the recording, so that nodes get into each of their states
    let next = recording.down.findIndex(({ message }) => message.type === 'welcome') + 1;
    const nextFrame = (): Buffer => {
      const spoken = recording.down[next] ?? draws.pick(listAll(tools));
      if (!draws.chance(share)) next++;
      else return damageFrame(draws.chance(0.7) ? spoken : draws.pick(listAll(tools)), draws);
      return ForgedLink.encode(spoken);
    };
    await forgeMany(link, tools, nextFrame, recording.down.length);
  };
  const take = (link: Link): void => void answer(link as ForgedLink).catch(ignoreCoded);
  return network.listen(machine, port, timings, take, (...args) => new ForgedLink(...args));
}

async function greetAsCoordinator(link: ForgedLink, { down }: Recording): Promise<void> {
  const talk = new Conversation(link);
  const nonce = createNonce();
  const challenge = { type: 'challenge', protocol: PROTOCOL_VERSION, version: LOCKSTEP_VERSION, nonce } as const;
  link.send(challenge);
  const hello = await talk.next('hello', GREETING_MS);
  const { message, payload } = down.find((one) => one.message.type === 'welcome') as Spoken;
  const { proof: _, ...welcome } = message as MessageOf<'welcome'>;
  const said = [{ message: challenge }, hello, { message: welcome, payload }];
  link.send({ ...welcome, proof: createProof(TOKEN, 'coordinator', said) }, payload);
  link.secure(deriveFrameKey(TOKEN, { listener: nonce, caller: hello.message.nonce }));
  link.onFrame = () => {};
}

function listAll({ recording, draws }: ForgerTools): readonly Spoken[] {
  if (draws.chance(0.2)) return Object.values(samples).map((message) => ({ message, payload: FLOATS }));
  return draws.pick([recording.up, recording.down, recording.among.length > 0 ? recording.among : recording.up]);
}

const FLOATS = new Uint8Array(256).fill(1);

const open = async (machine: Machine, url: string, { network }: ForgerTools): Promise<ForgedLink> => {
  const link = await network.of(machine, (...args) => new ForgedLink(...args)).connect(url, { timings });
  return link as ForgedLink;
};

async function forgeMany(link: ForgedLink, tools: ForgerTools, make: () => Buffer, count: number): Promise<void> {
  const { draws } = tools;
  for (let left = count; left > 0 && !tools.isEnough && link.forge(make()); left--) {
    tools.count();
    if (draws.chance(0.5)) await new Promise((resolve) => setTimeout(resolve, draws.between(0, MOST_MS_BETWEEN)));
  }
  // what is to happen because of it happens
  await new Promise((resolve) => setTimeout(resolve, draws.pick([5, 50])));
  link.close(undefined, 'enough');
}

/** It was refused, as it should be. */
export function ignoreCoded(error: unknown): void {
  if ((error as Error).name !== 'LockstepError') throw error;
}
