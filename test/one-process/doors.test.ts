/** What each port answers to programs and to web pages, whoever they are: one table. */
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HealthServer } from '../../packages/cli/dist/terminal/health.js';
import { listenForNodes } from '../../packages/coordinator/dist/members/server.js';
import { doorLimits } from '../../packages/core/dist/door/index.js';
import { openMetricsServer } from '../../packages/watch/dist/metrics/metrics-server.js';
import { RunMetrics } from '../../packages/watch/dist/metrics/run-metrics.js';
import { PageServer } from '../../packages/watch/dist/page/index.js';
import { Mesh } from '../../packages/worker/dist/connection/mesh.js';

const HERE = { host: '127.0.0.1', port: 0 };
const portOf = (url: string): number => Number(new URL(url).port);
interface Port {
  readonly port: number;
  close(): unknown;
}

const openers: Readonly<Record<string, () => Promise<Port>>> = {
  coordinator: async () => {
    const server = await listenForNodes({ ...HERE, hasToken: false }, async () => {});
    return { port: portOf(server.url), close: () => server.close() };
  },
  mesh: async () => {
    const mesh = new Mesh(Buffer.from('a secret'), { heartbeatMs: 1e6, silenceMs: 1e7 });
    return { port: await mesh.listen(HERE.host, HERE.port), close: () => mesh.close() };
  },
  page: async () => {
    const server = await PageServer.open({ ...HERE, flag: '--dashboard', runs: [], token: Buffer.from('a secret') });
    return { port: portOf(server.url), close: () => server.close() };
  },
  metrics: async () => {
    let line = '';
    const server = await openMetricsServer(new RunMetrics(), HERE, (text) => (line = text));
    return { port: portOf(line.replace('Metrics: ', '')), close: () => server.close?.() };
  },
  health: async () => {
    const server = (await HealthServer.open(HERE)) as HealthServer;
    return { port: server.port, close: () => server.close() };
  },
};

/** What is asked of a port that is for links, and of one that is for requests. */
const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';
const asked: Readonly<Record<string, readonly [path: string, headers: string]>> = {
  coordinator: ['/', UPGRADE],
  mesh: ['/', UPGRADE],
  page: ['/', 'Accept: */*'],
  metrics: ['/metrics', 'Accept: */*'],
  health: ['/healthz', 'Accept: */*'],
};

/** The status that is answered; 0: none. */
function ask(port: number, name: string, headers: readonly string[]): Promise<number> {
  const [path, own] = asked[name] as readonly [string, string];
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () =>
      socket.write([`GET ${path} HTTP/1.1`, own, ...headers, '', ''].join('\r\n')),
    );
    socket.once('error', reject);
    socket.once('close', () => resolve(0));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(Number(String(data).split(' ')[1]));
    });
  });
}

const GOOD: Readonly<Record<string, number>> = { coordinator: 101, mesh: 101, page: 200, metrics: 200, health: 200 };
const LINKS = ['coordinator', 'mesh'];
/** [who asks, headers for a port, the ports that answer] */
const CASES: readonly (readonly [string, (port: number) => string[], readonly string[]])[] = [
  ['a program', (port) => [`Host: 127.0.0.1:${port}`], Object.keys(GOOD)],
  // a mesh has a token always
  ['who was sent here under another name', (port) => [`Host: elsewhere.example:${port}`], ['mesh']],
  [
    'a page of the port itself',
    (port) => [`Host: 127.0.0.1:${port}`, `Origin: http://127.0.0.1:${port}`, 'Sec-Fetch-Site: same-origin'],
    ['page', 'metrics', 'health'],
  ],
  ['a page of somebody else', (port) => [`Host: 127.0.0.1:${port}`, 'Origin: http://elsewhere.example'], []],
  ['a page that hides where it is from', (port) => [`Host: 127.0.0.1:${port}`, 'Sec-Fetch-Site: cross-site'], []],
];

describe.each(Object.keys(openers))('the port of %s', (name) => {
  let port: Port;
  beforeAll(async () => {
    port = await (openers[name] as () => Promise<Port>)();
  });
  afterAll(() => port.close());

  it.each(CASES)('answers or refuses %s', async (_, headers, answering) => {
    const refused = LINKS.includes(name) ? 401 : 403;
    const status = await ask(port.port, name, headers(port.port));
    expect(status).toBe(answering.includes(name) ? GOOD[name] : refused);
  });

  it('takes no headers beyond 8 kB', async () =>
    expect(await ask(port.port, name, [`Host: 127.0.0.1`, `X-Long: ${'a'.repeat(9000)}`])).toBe(
      // who breaks a rule gets no word there
      name === 'page' ? 0 : 431,
    ));

  it('ends the oldest of silent connections of one address when they are too many', async () => {
    const sockets: net.Socket[] = [];
    const open = (): Promise<net.Socket> =>
      new Promise((resolve) => {
        const socket = net.connect(port.port, '127.0.0.1', () => resolve(socket)).on('error', () => {});
        sockets.push(socket.resume());
      });
    const first = await open();
    const gone = new Promise<void>((resolve) => first.once('close', () => resolve()));
    for (let count = 0; count < doorLimits.strangersOfAddress; count++) await open();
    await gone;
    expect(sockets.at(-1)?.destroyed).toBe(false);
    for (const socket of sockets) socket.destroy();
  });
});
