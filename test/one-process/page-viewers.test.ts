/** Those who look at the live page, well-behaved or not: none of them changes a bit of the run, and only some may look. */
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { train } from '../../packages/cli/dist/api/session.js';
import { Conduct } from '../../packages/coordinator/dist/members/conduct.js';
import { RunControl, type RunPeers } from '../../packages/core/dist/seams/index.js';
import { Chronicler } from '../../packages/watch/dist/chronicle/index.js';
import { offenceLimits, type PageOptions, PageServer, proveView } from '../../packages/watch/dist/page/index.js';
import { cutSample } from '../../tools/golden-runs.mjs';
import { runSmall, SMALL_STEPS_PER_EPOCH, smallModel, smallRecipe } from '../support/small-run.ts';

const STEPS = 3 * SMALL_STEPS_PER_EPOCH;
const VIEWERS = 50;

let server: PageServer;
let chronicler: Chronicler;
let control: RunControl;

const open = (more: Partial<PageOptions> = {}): Promise<PageServer> =>
  PageServer.open({
    ...{ flag: '--dashboard', host: '127.0.0.1', port: 0 },
    ...{ runs: [{ name: 'small', source: chronicler }], control },
    ...more,
  });

beforeEach(async () => {
  control = new RunControl();
  chronicler = new Chronicler({ startedAt: new Date(0).toISOString(), now: () => performance.now() });
  server = await open();
});
afterEach(() => server.close());

const socketUrl = (): string => `${server.url.replace('http', 'ws')}run`;
const keyOf = ({ address }: PageServer): string => /#key=(.*)$/.exec(address)?.[1] ?? '';

/** What a viewer was told, and how its connection ended. */
class TestViewer {
  readonly messages: Record<string, unknown>[] = [];
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
  #wake: () => void = () => {};

  constructor(options: ConstructorParameters<typeof WebSocket>[2] = {}) {
    this.socket = new WebSocket(socketUrl(), options);
    this.closed = new Promise((resolve) => this.socket.on('close', resolve));
    this.socket.on('error', () => {});
    this.socket.on('message', (data) => {
      this.messages.push(JSON.parse(String(data)));
      this.#wake();
    });
  }

  async message(name: string): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.messages.find((message) => name in message);
      if (found) return found[name] as Record<string, unknown>;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async prove(secret: string): Promise<this> {
    const { nonce } = await this.message('hello');
    this.socket.send(JSON.stringify({ proof: proveView(Buffer.from(secret), String(nonce)) }));
    return this;
  }

  /** Proves the key and is let in. */
  async enter(secret?: string): Promise<this> {
    await this.prove(secret ?? keyOf(server));
    await this.message('welcome');
    return this;
  }

  get lastPhase(): unknown {
    const phases = this.messages.flatMap(({ sections }) => {
      const { status } = (sections ?? {}) as { status?: { phase: string } };
      return status ? [status.phase] : [];
    });
    return phases.at(-1);
  }
}

/** Runs the small model while the page is served; its hash. */
async function runWatched(): Promise<string | undefined> {
  const dataset = await cutSample(200, 400);
  const observers = [chronicler, { name: 'page', close: () => server.close() }];
  const request = { model: smallModel, recipe: smallRecipe, dataset, seed: 1, workers: 2, steps: STEPS } as const;
  let hash: string | undefined;
  for await (const event of train({ ...request, engine: 'native', control, observers })) {
    if (event.event === 'end') hash = event.parametersSha256;
  }
  return hash;
}

describe('a run that is looked at', () => {
  it(`has the same bits with ${VIEWERS} viewers, one that takes nothing in and some that send rubbish`, async () => {
    control.pause();
    const key = keyOf(server);
    const viewers = await Promise.all(Array.from({ length: VIEWERS }, () => new TestViewer().enter(key)));
    const stalled = await new TestViewer().enter(key);
    stalled.socket.pause();
    const rubbish = [
      Buffer.from([0, 255, 1]),
      '{"ask":"fly"}',
      '{"ask":"stop","more":1}',
      'not JSON',
      'x'.repeat(5000),
    ];
    const senders = await Promise.all(rubbish.map(() => new TestViewer().enter(key)));
    for (const [index, { socket }] of senders.entries()) socket.send(rubbish[index] as string);
    const raw = net.connect(Number(new URL(server.url).port), '127.0.0.1', () => raw.write('\0\0 rubbish\r\n\r\n'));
    const rawClosed = new Promise((resolve) => raw.on('error', resolve).on('close', resolve));
    expect(await Promise.all(senders.map(({ closed }) => closed))).toEqual([1008, 1008, 1008, 1008, 1009]);
    await rawClosed;
    const running = runWatched();
    control.resume();
    expect(await running).toBe((await runSmall({ workers: 1, steps: STEPS })).hash);
    expect(await Promise.all(viewers.map(({ closed }) => closed))).toEqual(new Array(VIEWERS).fill(1001));
    expect(viewers.map(({ lastPhase }) => lastPhase)).toEqual(new Array(VIEWERS).fill('ended'));
  });

  it('cases: peers 21: shuts out nobody for what a foreign page can make a browser send, nor an address from which somebody looks on', async () => {
    const port = Number(new URL(server.url).port);
    const knock = async (bytes: Buffer): Promise<void> => {
      const socket = net.connect(port, '127.0.0.1').on('error', () => {});
      socket.resume().end(bytes);
      await new Promise((resolve) => socket.on('close', resolve));
    };
    for (let i = 0; i < 2 * offenceLimits.most; i++) {
      await knock(Buffer.from(`GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`));
      await knock(Buffer.from('16030100050100000100', 'hex'));
      await new TestViewer({ headers: { origin: 'http://other.example' } }).closed;
    }
    await expect(new TestViewer().enter()).resolves.toBeInstanceOf(TestViewer);
    for (let i = 0; i < 2 * offenceLimits.most; i++) await knock(Buffer.from('rubbish\r\n\r\n'));
    await expect(new TestViewer().enter()).resolves.toBeInstanceOf(TestViewer);
  });

  it('bounds: viewers: there are no more than 128, and who leaves makes room', async () => {
    const key = keyOf(server);
    const viewers: TestViewer[] = [];
    for (let count = 0; count < 128; count++) viewers.push(await new TestViewer().enter(key));
    for (let count = 0; count < 5; count++) expect(await new TestViewer().closed).toBe(1006);
    viewers[0]?.socket.close();
    await viewers[0]?.closed;
    // the server hears of it a moment later
    let last: TestViewer;
    do last = new TestViewer();
    while (!(await Promise.race([last.message('hello'), last.closed.then(() => undefined)])));
  });

  it('shuts out who sends rubbish again and again, and lets the sender in again later', async () => {
    const codes: number[] = [];
    for (let i = 0; i < offenceLimits.most + 1; i++) {
      const sender = new TestViewer();
      sender.socket.on('open', () => sender.socket.send('rubbish'));
      codes.push(await sender.closed);
    }
    // 1006: the connection was closed without an answer
    expect(codes.slice(0, offenceLimits.most)).toEqual(new Array(offenceLimits.most).fill(1008));
    expect(codes.at(-1)).toBe(1006);
    let later: TestViewer;
    do later = new TestViewer();
    while (!(await Promise.race([later.message('hello'), later.closed.then(() => undefined)])));
    later.socket.terminate();
  });

  it('cases: peers 6: is told who is in the run when that changes, and what came of a pardon', async () => {
    const conduct = new Conduct();
    conduct.strike({ host: '10.0.0.7', saidName: 'wild' }, { code: 'LOCKSTEP_NODE_ORDER', text: 'it said end.' });
    const peers: RunPeers = {
      roster: () => ({
        ...{ run: 'small, seed 1', step: 3, nodes: [], refused: [], pardoned: 0 },
        struck: conduct.list().map(({ saidName, ...rest }) => ({ name: saidName, ...rest })),
      }),
      pardon: (who, by) => conduct.pardon(who, by.replace(/:\d+$/, '')),
    };
    const viewer = await new TestViewer().enter();
    viewer.socket.send('{"pardon":"wild"}');
    expect(await viewer.message('pardoned')).toEqual({ who: 'wild', count: 0 });
    control.peers = peers;
    expect(await viewer.message('peers')).toMatchObject({ struck: [{ name: 'wild', host: '10.0.0.7', strikes: 1 }] });
    viewer.messages.length = 0;
    viewer.socket.send('{"pardon":"wild"}');
    expect(await viewer.message('pardoned')).toEqual({ who: 'wild', count: 1 });
    expect(await viewer.message('peers')).toMatchObject({ struck: [] });
    for (const said of [
      '{"pardon":""}',
      '{"pardon":7}',
      `{"pardon":"${'x'.repeat(301)}"}`,
      '{"pardon":"a","ask":"stop"}',
    ]) {
      const sender = await new TestViewer().enter();
      sender.socket.send(said);
      expect(await sender.closed).toBe(1008);
    }
    expect(control.isStopped).toBe(false);
  });

  it('is paused, resumed and stopped by a viewer, in order', async () => {
    const viewer = await new TestViewer().enter();
    viewer.socket.send('{"ask":"pause"}');
    viewer.socket.send('{"ask":"checkpoint"}');
    const changes = new Promise<void>((resolve) => control.onChange(() => control.wantsCheckpoint && resolve()));
    await changes;
    expect(control.isPaused).toBe(true);
    const stopped = new Promise<void>((resolve) => control.onChange(() => control.isStopped && resolve()));
    viewer.socket.send('{"ask":"resume"}');
    viewer.socket.send('{"ask":"stop"}');
    await stopped;
    expect([control.isPaused, control.isStopped]).toEqual([false, true]);
  });
});

describe('a page', () => {
  /** Status and headers of a request by hand: fetch does not let one set Host. */
  async function ask(path: string, lines: readonly string[], method = 'GET'): Promise<string> {
    const socket = net.connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write([`${method} ${path} HTTP/1.1`, ...lines, 'Connection: close', '', ''].join('\r\n'));
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) text += chunk;
    return text;
  }
  const statusOf = async (...args: Parameters<typeof ask>): Promise<number> =>
    Number((await ask(...args)).split(' ')[1]);

  it.each([
    ['this machine by name', 200, ['Host: localhost']],
    ['this machine through a tunnel', 200, ['Host: localhost:9000', 'Origin: http://localhost:9000']],
    ['a name that was bound to this machine', 403, ['Host: rebound.example']],
    ['another page', 403, ['Host: 127.0.0.1', 'Origin: http://other.example']],
    ['a frame or script of another page', 403, ['Host: 127.0.0.1', 'Sec-Fetch-Site: cross-site']],
  ])('answers %s with %i', async (_, status, lines) => {
    for (const path of ['/', '/page/browser/main.js']) expect(await statusOf(path, lines)).toBe(status);
  });

  it('is only read, and has nothing beside its files', async () => {
    expect(await statusOf('/', ['Host: localhost'], 'POST')).toBe(405);
    for (const path of [
      '/../package.json',
      '/page/browser/../../package.json',
      '/%2e%2e/',
      '/page/browser/runs.test.js',
    ]) {
      expect(await statusOf(path, ['Host: localhost'])).toBe(404);
    }
  });

  it('lets a browser load from nowhere else, frame it nowhere, and keep no copy', async () => {
    const answer = await ask('/', ['Host: localhost']);
    expect(answer).toContain("default-src 'none'");
    expect(answer).toContain("frame-ancestors 'none'");
    expect(answer).not.toContain("'unsafe-inline'");
    expect(answer).toContain('x-content-type-options: nosniff');
    expect(answer).toContain('cross-origin-resource-policy: same-origin');
    expect(answer).not.toContain('access-control-allow-origin');
  });

  it('cases: peers 20: hands its key to nobody who asks: it stands in the address that is printed, which no request has', async () => {
    const key = keyOf(server);
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    for (const path of ['/', '/key', '/run', '/page/browser/main.js', '/page/browser/connection.js']) {
      expect(await ask(path, ['Host: localhost'])).not.toContain(key);
    }
  });

  it('tells and obeys nobody who does not prove the secret', async () => {
    expect(await (await new TestViewer().prove('a guess')).closed).toBe(1008);
    const hasty = new TestViewer();
    await hasty.message('hello');
    hasty.socket.send('{"ask":"stop"}');
    expect(await hasty.closed).toBe(1008);
    expect(hasty.messages).toHaveLength(1);
    expect(control.isStopped).toBe(false);
    expect(await new TestViewer({ headers: { origin: 'http://other.example' } }).closed).toBe(1006);
  });

  it('with a token has no key, and takes no proof made for another connection', async () => {
    await server.close();
    server = await open({ token: Buffer.from('a token of a test') });
    expect(keyOf(server)).toBe('');
    const first = await new TestViewer().enter('a token of a test');
    const { nonce } = await first.message('hello');
    const second = new TestViewer();
    await second.message('hello');
    second.socket.send(JSON.stringify({ proof: proveView(Buffer.from('a token of a test'), String(nonce)) }));
    expect(await second.closed).toBe(1008);
  });

  it('is not opened to other machines without a token, nor on a port that is taken', async () => {
    await expect(open({ host: '0.0.0.0' })).rejects.toThrow('LOCKSTEP_DASHBOARD_TOKEN');
    await expect(open({ port: Number(new URL(server.url).port) })).rejects.toThrow('LOCKSTEP_DASHBOARD_PORT');
  });
});
