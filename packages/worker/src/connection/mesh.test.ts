import { once } from 'node:events';
import net from 'node:net';
import type { Frame, MessageOf } from '@lockstep/core/wire';
import { afterEach, expect, it, vi } from 'vitest';
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

  constructor(readonly id: number) {
    closing.push(this.mesh);
    this.begin(id);
  }

  begin(id: number): void {
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
  caller.mesh.call([{ node: 1, url }]);
  caller.mesh.call([{ node: 1, url }]);
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
  caller.mesh.call([{ node: 1, url }]);
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
  caller.mesh.call([{ node: 1, url }]);
  await listener.isConnectedTo(2);
  caller.mesh.call([]);
  // the same node after a loss of which the listener has not heard yet
  const again = new Peer(2);
  again.mesh.call([{ node: 1, url }]);
  await again.isConnectedTo(1);
  await talk(again, listener);
  expect(again.changes).toEqual([[1]]);
  expect(listener.changes).toEqual([[2], [2]]);
});

it('introduces itself by the session in which it called, and drops a connection that comes too late', async () => {
  const { listener, caller, gate, url } = await startPair();
  caller.mesh.call([{ node: 1, url }]);
  caller.begin(3);
  gate.open();
  caller.mesh.call([{ node: 1, url }]);
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
  caller.mesh.call([{ node: 1, url }]);
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
