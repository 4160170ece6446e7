/** The table of bounds in docs/exchange.md, and how its rows are flooded; each flood returns how much was there at most. */
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { prepareNode } from '../../packages/coordinator/dist/members/admission.js';
import { Conduct } from '../../packages/coordinator/dist/members/conduct.js';
import { Farewells } from '../../packages/coordinator/dist/members/farewells.js';
import { Membership, type MembershipHandler } from '../../packages/coordinator/dist/members/membership.js';
import { createDataset } from '../../packages/core/dist/data/index.js';
import { Door, makeServer, openPort } from '../../packages/core/dist/door/index.js';
import type { NodeEvent } from '../../packages/core/dist/events/index.js';
import { Conversation, Identity, Link, linkServerRules, type Socket } from '../../packages/core/dist/wire/index.js';
import { runs } from '../../packages/schedules/dist/machines/run.js';
import { greet } from '../../packages/worker/dist/connection/greeting.js';

export interface Bound {
  readonly name: string;
  /** The first number of what is kept at most. */
  readonly limit: number;
}

export function readBounds(): Bound[] {
  const file = new URL('../../docs/exchange.md', import.meta.url);
  const text = readFileSync(file, 'utf8').split('## What is kept of others')[1]?.split('\n## ')[0] as string;
  const rows = text.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(1).map((line) => {
    const [name = '', , most = ''] = line.split('|').slice(1);
    return { name: name.trim(), limit: Number(/[\d,]+/.exec(most)?.[0].replaceAll(',', '')) };
  });
}

const TIMINGS = { heartbeatMs: 1e6, silenceMs: 1e7 };
const TOKEN = Buffer.from('a token for the tests');
const SELF_TEST = 'ab'.repeat(32);

/** One end of a connection in memory: what is sent comes to the other end at the next turn. */
class NearSocket extends EventEmitter implements Socket {
  readyState = 1;
  bufferedAmount = 0;
  other: NearSocket | undefined;
  #parts: Buffer[] = [];

  /** @param takesIn whether what is sent ever leaves */
  constructor(private readonly takesIn = true) {
    super();
  }

  send(data: Uint8Array, { fin }: { binary: boolean; fin: boolean }, done?: () => void): void {
    this.#parts.push(Buffer.from(data));
    if (!fin) return;
    const parts = this.#parts.splice(0);
    if (!this.takesIn) return;
    queueMicrotask(() => {
      done?.();
      this.other?.emit('message', parts, true);
    });
  }

  ping(): void {}
  close(): void {
    queueMicrotask(() => this.terminate());
  }

  terminate(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.emit('close', 1008);
    this.other?.terminate();
  }
}

/** Two ends; `address` is that of the one that called. */
function joinLinks(address = '10.0.0.7:51012'): { listener: Link; caller: Link } {
  const [near, far] = [new NearSocket(), new NearSocket()];
  near.other = far;
  far.other = near;
  return {
    listener: new Link(near, 'listener', address, TIMINGS),
    caller: new Link(far, 'caller', 'the coordinator', TIMINGS),
  };
}

/** Strangers at a door, each from another address or all from one. */
function callDoor(addressOf: (index: number) => string): number {
  const server = new EventEmitter();
  const door = new Door(server as unknown as Server);
  let most = 0;
  for (let index = 0; index < 2000; index++) {
    const pipe = Object.assign(new EventEmitter(), { remoteAddress: addressOf(index), setNoDelay: () => {} });
    server.emit('connection', Object.assign(pipe, { destroy: () => pipe.emit('close') }));
    most = Math.max(most, door.connections);
  }
  return most;
}

/** The largest of these headers that is answered. */
async function sendHeaders(): Promise<number> {
  const { server, door } = makeServer((_, response) => response.end('here'));
  await openPort(server, { host: '127.0.0.1', port: 0 }, (trouble) => new Error(trouble) as never);
  let most = 0;
  for (const bytes of [1000, 8000, 8300, 100_000, 10_000_000]) {
    const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
    const before = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Long: ';
    socket.write(`${before}${'a'.repeat(bytes - before.length - 4)}\r\n\r\n`);
    let answer = '';
    socket.setEncoding('latin1').on('data', (text) => (answer += text));
    await new Promise((resolve) => socket.once('close', resolve));
    if (answer.startsWith('HTTP/1.1 200')) most = bytes;
  }
  server.close();
  door.close();
  return most;
}

/** The largest of these messages that comes in whole. */
async function sendFrames(): Promise<number> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...linkServerRules(false) });
  await once(server, 'listening');
  let most = 0;
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data: Buffer) => {
      most = Math.max(most, data.length);
      socket.close();
    });
  });
  for (const bytes of [1000, 1_100_000, 1_200_000, 64_000_000]) {
    const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    socket.on('error', () => {});
    await once(socket, 'open');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.send(Buffer.alloc(bytes));
    await closed;
  }
  server.close();
  return most;
}

/** The largest message that is read before there is a key. */
function sendGreetings(): number {
  let most = 0;
  for (const bytes of [100, 4000, 4100, 1_000_000]) {
    const socket = new NearSocket();
    const link = new Link(socket, 'listener', 'far', TIMINGS);
    let why = '';
    link.onClose = ({ text }) => (why = text);
    socket.emit('message', [Buffer.alloc(bytes)], true);
    if (!why.includes('came before the handshake was over')) most = bytes;
    link.close(undefined, 'the test is over');
  }
  return most;
}

/** Frames of somebody who sends ever more than he is asked for. */
async function sendUnasked(): Promise<number> {
  const { listener, caller } = joinLinks();
  for (const link of [listener, caller]) link.secure(new Uint8Array(32));
  const talk = new Conversation(listener);
  for (let sent = 0; sent < 100; sent++) caller.send({ type: 'reachable', nodes: [sent] });
  while (listener.isOpen) await setImmediate();
  let kept = 0;
  while (
    await talk.next('reachable', 1).then(
      () => true,
      () => false,
    )
  )
    kept += 1;
  return kept;
}

/** Pieces of the data for a node that takes nothing in. */
async function sendData(): Promise<number> {
  const link = new Link(new NearSocket(false), 'listener', 'far', TIMINGS);
  const split = (count: number) => {
    const images = new Uint8Array(new SharedArrayBuffer(count * 784));
    return { count, images, labels: new Uint8Array(new SharedArrayBuffer(count)) };
  };
  const shape = { channels: 1, height: 28, width: 28, classes: 10, mean: [0.1], std: [0.3] };
  const splits = { train: split(4000), validation: split(0), test: split(10) };
  const dataset = createDataset({ name: 'zeros', source: 'made here', ...shape, ...splits });
  const terms = { ...runs.sgd, dataset, token: TOKEN, engine: 'native', selfTest: SELF_TEST };
  const talk = new Conversation(link);
  const preparing = prepareNode(link, talk, terms, { type: 'inquire', needsData: true }).catch(() => {});
  for (let turn = 0; turn < 100; turn++) await setImmediate();
  const most = link.inFlight;
  link.close(undefined, 'the test is over');
  await preparing;
  return most;
}

/** Honest nodes, ever more of them. */
async function sendNodes(): Promise<number> {
  const events: NodeEvent[] = [];
  const onAdmitted: MembershipHandler['onAdmitted'] = (node) => {
    node.isRestored = true;
  };
  const handler = { onFrame: () => {}, onGone: () => {}, onAdmitted, onReady: () => {}, stepNow: () => 0 };
  const terms = { ...runs.sgd, token: TOKEN, engine: 'native', selfTest: SELF_TEST };
  const membership = new Membership(terms, { ...handler, emit: (event) => events.push(event) });
  const { key } = new Identity();
  const callers: Link[] = [];
  for (let count = 0; count < 140; count++) {
    const { listener, caller } = joinLinks(`10.0.${count}.7:51012`);
    callers.push(caller);
    const admitted = membership.admit(listener);
    const talk = new Conversation(caller);
    const card = { name: 'lab', workers: 1, engine: 'native', key, meshPort: undefined, carriers: undefined };
    const { runHash, header } = await greet(caller, talk, TOKEN, card);
    caller.send({ type: 'inquire', needsData: false });
    caller.send({ type: 'ready', runHash, checksum: header.checksum, selfTest: SELF_TEST });
    await admitted;
  }
  membership.takeReady(() => true);
  const { size } = membership.nodes;
  membership.close(undefined);
  for (const caller of callers) caller.close(undefined, 'the test is over');
  return size;
}

function breakRules(): number {
  const conduct = new Conduct();
  const reason = { code: 'LOCKSTEP_NODE_ORDER', text: 'it said end.' } as const;
  for (let count = 0; count < 10_000; count++)
    conduct.strike({ host: `10.0.${count >> 8}.${count & 255}`, saidName: `liar ${count}` }, reason);
  return conduct.list().length;
}

/** Those who are known as good are not held to what others of their address did. */
function agreeOften(): number {
  const conduct = new Conduct();
  const names = Array.from({ length: 3000 }, (_, index) => ({ host: '10.0.0.7', saidName: `lab ${index}` }));
  for (const name of names) conduct.agree(name);
  conduct.strike({ host: '10.0.0.7', saidName: 'liar' }, { code: 'LOCKSTEP_NODE_ORDER', text: 'it said end.' });
  return names.filter((name) => !conduct.isOnProbation(name)).length;
}

/** At its end a run tells how many nodes it waits for. */
async function loseOften(): Promise<number> {
  const farewells = new Farewells();
  for (let count = 0; count < 5000; count++) farewells.lose(`10.0.0.7 lab ${count}`);
  const ending = new AbortController();
  let told = '';
  const tell = (line: string): void => {
    told = line;
    void setImmediate().then(() => ending.abort());
  };
  await farewells.settle({ expected: 0, awayMs: 10_000, signal: ending.signal, tell });
  return Number(/for ([\d,]+) nodes/.exec(told)?.[1]?.replaceAll(',', ''));
}

/** By the names of rows. */
export const floods: Readonly<Record<string, () => number | Promise<number>>> = {
  strangers: () => callDoor((index) => `10.0.0.${index % 250}`),
  'strangers of an address': () => callDoor(() => '10.0.0.7'),
  header: sendHeaders,
  frame: sendFrames,
  greeting: sendGreetings,
  'unasked frames': sendUnasked,
  'data on its way': sendData,
  nodes: sendNodes,
  'names that broke rules': breakRules,
  'names that agreed': agreeOften,
  'nodes that are away': loseOften,
};
