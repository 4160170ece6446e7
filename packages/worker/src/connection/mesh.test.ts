import { once } from 'node:events';
import net from 'node:net';
import { LockstepError } from '@lockstep/core/errors';
import { Conversation, createNonce, createProof, type Frame, type MessageOf, type PeerCard } from '@lockstep/core/wire';
import { afterEach, expect, it, vi } from 'vitest';
import { connect } from './connect.js';
import { Mesh } from './mesh.js';

const TOKEN = Buffer.from('a token for the tests');
const TIMINGS = { heartbeatMs: 500, silenceMs: 60_000 };
const ROUNDS = 200;

const closing: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of closing.splice(0)) one.close();
  vi.useRealTimers();
});

class Peer {
  readonly mesh = new Mesh(TOKEN, TIMINGS);
  /** Nodes that it had a connection to, each time that they changed. */
  readonly changes: number[][] = [];
  readonly #frames: Frame[] = [];
  #wake: () => void = () => {};

  constructor(public id: number) {
    closing.push(this.mesh);
    this.begin(id);
  }

  begin(id: number): void {
    this.id = id;
    this.mesh.begin(id, {
      onFrame: (_, frame) => {
        this.#frames.push(frame);
        this.#wake();
      },
      onChange: (nodes) => {
        this.changes.push([...nodes]);
        this.#wake();
      },
    });
  }

  /** As the coordinator tells of it; with an address it is called. */
  card(url?: string): PeerCard {
    return { node: this.id, key: this.mesh.identity.key, ...(url !== undefined && { url }) };
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  async isConnectedTo(node: number): Promise<void> {
    await this.until(() => this.mesh.links.has(node));
  }

  say(node: number, step: number): void {
    const message: MessageOf<'reduced'> = { type: 'reduced', step, generation: 1, offset: 0 };
    this.mesh.links.get(node)?.send(message, Buffer.from('abcd'));
  }

  async hear(step: number): Promise<void> {
    await this.until(() => this.#frames.some(({ message }) => 'step' in message && message.step === step));
  }
}

/** Carries connections to a port once it is let; counts them. */
class Gate {
  readonly #server = net.createServer((near) => this.#join(near)).listen(0, '127.0.0.1');
  readonly #sockets: net.Socket[] = [];
  /** Those of them at which the callers are. */
  readonly #near: net.Socket[] = [];
  #isOpen = false;
  #waiting: (() => void)[] = [];
  count = 0;

  constructor(private readonly target: number) {
    closing.push(this);
  }

  async url(): Promise<string> {
    if (!this.#server.listening) await once(this.#server, 'listening');
    return `ws://127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`;
  }

  #join(near: net.Socket): void {
    this.count += 1;
    const pass = (): void => {
      const far = net.connect(this.target, '127.0.0.1');
      this.#sockets.push(near, far);
      this.#near.push(near);
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) socket.on('error', () => this.cut());
    };
    if (this.#isOpen) pass();
    else this.#waiting.push(pass);
  }

  open(): void {
    this.#isOpen = true;
    for (const pass of this.#waiting.splice(0)) pass();
  }

  cut(): void {
    for (const socket of this.#sockets.splice(0)) socket.destroy();
  }

  /** So that only the callers hear of it. */
  cutNear(): void {
    for (const socket of this.#near.splice(0)) socket.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

async function startPair(): Promise<{ listener: Peer; caller: Peer; gate: Gate; url: string }> {
  const [listener, caller] = [new Peer(1), new Peer(2)];
  const gate = new Gate(await listener.mesh.listen('127.0.0.1', 0));
  return { listener, caller, gate, url: await gate.url() };
}

/** As the coordinator does: the listener is told whom it takes, the caller whom it is to call. */
function introduce(listener: Peer, caller: Peer, url: string): void {
  listener.mesh.know([caller.card()]);
  caller.mesh.know([listener.card(url)]);
}

async function talk(one: Peer, other: Peer): Promise<void> {
  for (let step = 0; step < ROUNDS; step++) {
    one.say(other.id, step);
    await other.hear(step);
    other.say(one.id, step);
    await one.hear(step);
  }
}

it('has one connection to a node that it was told of twice before it answered', async () => {
  const { listener, caller, gate, url } = await startPair();
  introduce(listener, caller, url);
  introduce(listener, caller, url);
  gate.open();
  await Promise.all([caller.isConnectedTo(1), listener.isConnectedTo(2)]);
  await talk(caller, listener);
  expect(caller.changes).toEqual([[1]]);
  expect(listener.changes).toEqual([[2]]);
  expect(gate.count).toBe(1);
});

it('calls again when the connection is cut', async () => {
  const { listener, caller, gate, url } = await startPair();
  gate.open();
  introduce(listener, caller, url);
  await Promise.all([caller.isConnectedTo(1), listener.isConnectedTo(2)]);
  gate.cut();
  await Promise.all([caller, listener].map((peer) => peer.until(() => peer.changes.length === 3)));
  await talk(caller, listener);
  expect(caller.changes).toEqual([[1], [], [1]]);
  expect(listener.changes).toEqual([[2], [], [2]]);
});

it('takes a newer connection of the same node for the one that counts, and loses nothing when the older ends', async () => {
  const { listener, caller, gate, url } = await startPair();
  gate.open();
  introduce(listener, caller, url);
  await Promise.all([caller.isConnectedTo(1), listener.isConnectedTo(2)]);
  // a loss of which the listener does not hear
  gate.cutNear();
  await Promise.all([
    caller.until(() => caller.changes.length === 3),
    listener.until(() => listener.changes.length === 2),
  ]);
  await talk(caller, listener);
  expect(caller.changes).toEqual([[1], [], [1]]);
  expect(listener.changes).toEqual([[2], [2]]);
});

it('introduces itself by the session in which it called, and drops a connection that comes too late', async () => {
  const { listener, caller, gate, url } = await startPair();
  introduce(listener, caller, url);
  caller.begin(3);
  gate.open();
  introduce(listener, caller, url);
  await Promise.all([caller.isConnectedTo(1), listener.isConnectedTo(3)]);
  listener.say(3, 7);
  await caller.hear(7);
  await listener.until(() => !listener.mesh.links.has(2));
  expect([...listener.mesh.links.keys()]).toEqual([3]);
});

it('cases: peers 25: calls a node that ends each connection at once ever more seldom', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { listener, caller, gate, url } = await startPair();
  gate.open();
  introduce(listener, caller, url);
  for (const [pauses, pauseMs] of [0, 250, 500, 1000, 2000].entries()) {
    await vi.advanceTimersByTimeAsync(pauseMs);
    await Promise.all([caller.isConnectedTo(1), listener.isConnectedTo(2)]);
    expect(gate.count).toBe(pauses + 1);
    gate.cut();
    await Promise.all([caller, listener].map((peer) => peer.until(() => peer.mesh.links.size === 0)));
    await vi.advanceTimersByTimeAsync(Math.max(0, pauseMs - 1));
    expect(gate.count).toBe(pauses + 1);
  }
});

/** A node of the run that holds the token, and calls as another: with what proves it, if that is not made up. */
async function claim(url: string, claimed: number, secret: Uint8Array): Promise<unknown> {
  const link = await connect(url, { timings: TIMINGS });
  const talk = new Conversation(link);
  const challenged = await talk.next('challenge', TIMINGS.silenceMs);
  const hello = { type: 'peer', node: claimed, called: 1, nonce: createNonce() } as const;
  link.send({ ...hello, proof: createProof(secret, 'caller', [challenged, { message: hello }]) });
  return talk.next('peer-welcome', TIMINGS.silenceMs).finally(() => link.close(undefined, 'the test is over'));
}

it('cases: peers 25: a node that claims the id of another is refused, and the rightful one stays connected', async () => {
  const { listener, caller, gate, url } = await startPair();
  const liar = new Peer(3);
  gate.open();
  listener.mesh.know([caller.card(), liar.card()]);
  caller.mesh.know([listener.card(url), liar.card()]);
  await Promise.all([caller.isConnectedTo(1), listener.isConnectedTo(2)]);
  // by the token alone, as it was enough once, and by the liar's own key
  for (const secret of [TOKEN, liar.mesh.identity.secretWith(TOKEN, listener.mesh.identity.key)]) {
    await expect(claim(url, 2, secret)).rejects.toMatchObject({
      code: 'LOCKSTEP_NODE_IDENTITY',
      text: expect.stringMatching(/does not prove that it is node 2: it holds another token, or has not the key/),
    });
  }
  // under its own id it is let in
  await claim(url, 3, liar.mesh.identity.secretWith(TOKEN, listener.mesh.identity.key));
  await talk(caller, listener);
  expect(listener.changes.map((nodes) => nodes.includes(2))).not.toContain(false);
  expect(caller.changes).toEqual([[1]]);
});

it('cases: peers 25: a caller takes nobody for the node that it calls who has not its key', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { listener, caller, gate, url } = await startPair();
  gate.open();
  const other = new Peer(1);
  listener.mesh.know([caller.card()]);
  caller.mesh.know([other.card(url)]);
  // it is called again, since the pause has passed, and refused again
  while (gate.count < 3) await vi.advanceTimersByTimeAsync(50);
  expect([...caller.mesh.links, ...listener.mesh.links]).toEqual([]);
});

it('waits: peer key: a caller of whom the coordinator has not told is refused after 5 s, one of whom it tells late is not', async () => {
  const { listener, caller, gate, url } = await startPair();
  gate.open();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const refused = claim(url, 3, TOKEN).catch((error: unknown) => error);
  caller.mesh.know([listener.card(url)]);
  while (gate.count < 2) await vi.advanceTimersByTimeAsync(1);
  listener.mesh.know([caller.card()]);
  await Promise.all([caller.isConnectedTo(1), listener.isConnectedTo(2)]);
  for (let ms = 0; ms < 5000; ms += 100) await vi.advanceTimersByTimeAsync(100);
  const error = await refused;
  expect(error).toBeInstanceOf(LockstepError);
  expect(error).toMatchObject({
    code: 'LOCKSTEP_NODE_IDENTITY',
    text: 'the coordinator has told of no node 3 within 5 s.',
  });
});

it('ends the connection to a node that is not in the run any more', async () => {
  const { listener, caller, gate, url } = await startPair();
  gate.open();
  introduce(listener, caller, url);
  await Promise.all([caller.isConnectedTo(1), listener.isConnectedTo(2)]);
  listener.mesh.know([]);
  expect([...listener.mesh.links]).toEqual([]);
  await caller.until(() => caller.mesh.links.size === 0);
});
