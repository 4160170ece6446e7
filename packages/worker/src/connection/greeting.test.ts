/** A node against a coordinator that says what it must not. */
import type { AddressInfo } from 'node:net';
import { LOCKSTEP_VERSION } from '@lockstep/core/files';
import {
  Conversation,
  createNonce,
  createProof,
  deriveFrameKey,
  hashRun,
  Link,
  type MessageOf,
  PROTOCOL_VERSION,
  type Socket,
} from '@lockstep/core/wire';
import { loadModelSpec } from '@lockstep/core/zoo';
import { afterEach, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { runNode } from './node-life.js';

const TIMINGS = { heartbeatMs: 1000, silenceMs: 10_000 };
const token = Buffer.from('a token for the tests');
const { model, recipe } = loadModelSpec('net19k');
const dataset: MessageOf<'welcome'>['dataset'] = {
  name: 'some',
  source: 'here',
  channels: 1,
  height: 28,
  width: 28,
  classes: 10,
  mean: [0.1],
  std: [0.3],
  counts: { train: 64, validation: 0, test: 10 },
  checksum: '0'.repeat(64),
};

let server: WebSocketServer | undefined;
afterEach(() => server?.close());

/** Greets as a coordinator does, with another welcome. Resolves with where it listens, and when the node has closed. */
async function openCoordinator(
  run: string,
  change: Partial<typeof dataset>,
): Promise<{ url: string; left: Promise<void> }> {
  const listening = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server = listening;
  const left = new Promise<void>((resolve) =>
    listening.on('connection', (socket) => {
      socket.binaryType = 'fragments';
      const link = new Link(socket as unknown as Socket, 'listener', 'a node', TIMINGS);
      const talk = new Conversation(link);
      const nonce = createNonce();
      const challenge = { type: 'challenge', protocol: PROTOCOL_VERSION, version: LOCKSTEP_VERSION, nonce } as const;
      link.send(challenge);
      void (async () => {
        const greeting = await talk.next('hello', 5000);
        const runHash = hashRun(model, recipe, 1);
        const welcome = { type: 'welcome', node: 1, seed: 1, runHash, dataset: { ...dataset, ...change } } as const;
        const payload = Buffer.from(run);
        const said = [{ message: challenge }, greeting, { message: welcome, payload }];
        link.send({ ...welcome, proof: createProof(token, 'coordinator', said) }, payload);
        link.secure(deriveFrameKey(token, { listener: nonce, caller: greeting.message.nonce }));
        await new Promise<void>((closed) => (link.onClose = () => closed()));
      })().then(resolve, () => resolve());
    }),
  );
  await new Promise((resolve) => listening.once('listening', resolve));
  return { url: `ws://127.0.0.1:${(listening.address() as AddressInfo).port}`, left };
}

const join = (url: string): Promise<number> =>
  runNode({
    url,
    token,
    workers: 1,
    engine: 'native',
    name: 'one',
    findDataset: async () => undefined,
    cacheFolder: '/nowhere/at/all',
    patienceMs: 0,
    mayReturn: () => false,
    signal: new AbortController().signal,
    report: () => {},
  });

const good = JSON.stringify({ model, recipe });

it.each([
  [
    'a dataset for which there is no room',
    good,
    { counts: { train: 4e9, validation: 0, test: 0 }, height: 65_536, width: 65_536 },
    'LOCKSTEP_NODE_DATA',
  ],
  ['a run that is null', 'null', {}, 'LOCKSTEP_NODE_MESSAGE'],
  ['a run that is a number', '7', {}, 'LOCKSTEP_NODE_MESSAGE'],
  ['a run that is cut', good.slice(0, 40), {}, 'LOCKSTEP_NODE_MESSAGE'],
])('cases: peers 16: ends with a code, and its connection, when it is told of %s', async (_, run, change, code) => {
  const { url, left } = await openCoordinator(run, change);
  await expect(join(url)).rejects.toMatchObject({ code });
  await left;
});

it.each([
  ['no URL', 'not a url'],
  ['a fragment', 'ws://127.0.0.1:7400/#there'],
  ['an address with the name of an interface', 'ws://[fe80::1%eth0]:7400'],
])('cases: peers 15: says LOCKSTEP_CONNECT for %s', async (_, url) => {
  await expect(join(url)).rejects.toMatchObject({ code: 'LOCKSTEP_CONNECT' });
});
