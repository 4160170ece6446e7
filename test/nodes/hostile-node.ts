/** A node that breaks rules on purpose: it shakes hands as it should, then sends what a test tells it to. */

import { WebSocket } from 'ws';
import { LOCKSTEP_VERSION } from '../../packages/core/dist/files/index.js';
import type { Recipe } from '../../packages/core/dist/spec/index.js';
import {
  type Assignment,
  createNonce,
  createProof,
  decodeFrame,
  deriveFrameKey,
  encodeHeader,
  type Frame,
  FrameSeal,
  Identity,
  type Message,
  PROTOCOL_VERSION,
} from '../../packages/core/dist/wire/index.js';
import type { Fixture } from '../support/cluster-fixture.ts';

const TOKEN = Buffer.from('a token for the tests');

type Hello = Extract<Message, { type: 'hello' }>;

export class HostileNode {
  readonly identity = new Identity();
  readonly frames: Frame[] = [];
  /** Code of the refusal, once there is one. */
  readonly closed: Promise<string>;
  readonly socket: WebSocket;
  #nonces = { listener: '', caller: createNonce() };
  #out: FrameSeal | undefined;
  #in: FrameSeal | undefined;
  #wake: () => void = () => {};
  /** In the run that it has joined. */
  id = -1;
  /** Whether it says that it has the state, as an honest node does, when it has come. */
  doesRestore = true;

  constructor(
    url: string,
    private readonly token: Uint8Array = TOKEN,
    headers: Readonly<Record<string, string>> = {},
  ) {
    this.socket = new WebSocket(url, { perMessageDeflate: false, headers });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (_, reason) => resolve(reason.toString()));
      this.socket.on('error', () => {});
    });
    this.socket.on('message', (data) => {
      const frame = decodeFrame([data as Buffer], this.#in);
      this.frames.push(frame);
      if (this.doesRestore) this.#restore(frame);
      this.#wake();
    });
  }

  async open(): Promise<void> {
    if (this.socket.readyState !== WebSocket.OPEN) await new Promise((resolve) => this.socket.once('open', resolve));
  }

  async next<T extends Message['type']>(
    type: T,
  ): Promise<{ message: Extract<Message, { type: T }>; payload: Uint8Array }> {
    for (;;) {
      const index = this.frames.findIndex(({ message }) => message.type === type);
      if (index >= 0) return this.frames.splice(index, 1)[0] as never;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  send(message: Message, payload: Uint8Array = new Uint8Array(0), spoil: (bytes: Buffer) => void = () => {}): void {
    const bytes = Buffer.concat([encodeHeader(message, payload, this.#out), payload]);
    spoil(bytes);
    this.socket.send(bytes);
  }

  /** As an honest node, up to and with the proof; `change` is made before the proof, `spoil` after it. */
  async greet(change: Partial<Hello> = {}, spoil: Partial<Hello> = {}): Promise<void> {
    const challenge = await this.next('challenge');
    this.#nonces = { ...this.#nonces, listener: challenge.message.nonce };
    const hello = {
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      version: LOCKSTEP_VERSION,
      nonce: this.#nonces.caller,
      name: 'hostile',
      workers: 1,
      engine: 'native (none)',
      key: this.identity.key,
      ...change,
    } as const;
    const proof = createProof(this.token, 'node', [challenge, { message: hello }]);
    this.send({ ...hello, proof, ...spoil });
  }

  #restore({ message, payload }: Frame): void {
    if (message.type !== 'state' || message.offset + payload.length < message.total) return;
    this.send({ type: 'restored', step: message.step });
  }

  secure(): void {
    const key = deriveFrameKey(this.token, this.#nonces);
    this.#out = new FrameSeal(key, 'caller');
    this.#in = new FrameSeal(key, 'listener');
  }

  /** Joins the run by giving the coordinator's own self-test hash, and waits for its first assignment. */
  async join(selfTest: string, ...changes: Parameters<HostileNode['greet']>): Promise<Assignment> {
    await this.greet(...changes);
    const { message } = await this.next('welcome');
    this.id = message.node;
    this.secure();
    this.send({ type: 'inquire', needsData: false });
    this.send({ type: 'ready', runHash: message.runHash, checksum: message.dataset.checksum, selfTest });
    return (await this.next('assign')).message;
  }
}

/** The self-test hash that this machine's kernels give under the model's recipe, so that a node need not compute it. */
export async function learnSelfTest(fixture: Fixture, change: Partial<Recipe> = {}): Promise<string> {
  const { LocalNode } = await import('../../packages/worker/dist/node/index.js');
  const { loadModelSpec } = await import('../../packages/core/dist/zoo/index.js');
  const { openDataset } = await import('../../packages/core/dist/data/index.js');
  const { model, recipe } = loadModelSpec(fixture.model);
  const dataset = await openDataset(fixture.data, {});
  const shared = { model, recipe: { ...recipe, ...change }, dataset };
  const node = new LocalNode({ ...shared, seed: 1, workers: 1, isSharing: true });
  const hash = await node.selfTest();
  await node.close();
  return hash;
}
