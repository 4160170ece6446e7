import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { Door, doorLimits, doorOptions, isLoopbackHost, refuseForeignPage } from './door.js';

const limits = { connections: 100, strangers: 6, strangersOfAddress: 4, requestMs: 400 };
const open: { server: Server; door: Door }[] = [];

/** @param requestMs until a request must have come */
async function openDoor(requestMs = limits.requestMs) {
  const server = createServer(doorOptions, (_, response) => response.end('here'));
  server.keepAliveTimeout = 60_000;
  const door = new Door(server, { ...limits, requestMs });
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({ server, door });
  const { port } = server.address() as AddressInfo;
  const call = async (localAddress = '127.0.0.1'): Promise<Socket> => {
    const coming = new Promise((resolve) => server.once('connection', resolve));
    const socket = connect({ port, host: '127.0.0.1', localAddress }).on('error', () => {});
    await coming;
    return socket;
  };
  return { door, sockets, call };
}

afterEach(() => {
  for (const { server, door } of open.splice(0)) {
    server.close();
    door.close();
  }
});

const end = (socket: Socket | undefined) => new Promise<void>((resolve) => socket?.once('close', () => resolve()));

it('cases: peers 3: beyond the share of an address its oldest stranger goes, and the newest stays', async () => {
  const { door, call } = await openDoor();
  const callers = [];
  for (let count = 0; count < limits.strangersOfAddress; count++) callers.push(await call());
  const gone = end(callers[0]);
  callers.push(await call());
  await gone;
  expect(door.connections).toBe(limits.strangersOfAddress);
  expect(callers.slice(1).every(({ destroyed }) => !destroyed)).toBe(true);
});

// only there is every address of 127.0.0.0/8 this machine's
it.runIf(process.platform === 'linux')(
  'takes room from the address that has most, so that others come in',
  async () => {
    const { call } = await openDoor();
    const flood = [];
    for (let count = 0; count < limits.strangersOfAddress; count++) flood.push(await call());
    const others = [await call('127.0.0.2'), await call('127.0.0.3')];
    const gone = end(flood[0]);
    others.push(await call('127.0.0.4'));
    await gone;
    expect(others.some(({ destroyed }) => destroyed)).toBe(false);
  },
);

it('bounds: connections: there are no more than so many, also of those who have proved the secret', async () => {
  // so long that on a busy machine none goes for its silence before the last comes
  const { door, sockets } = await openDoor(60_000);
  const { server } = open[0] as { server: Server };
  expect([server.maxConnections, doorLimits.connections]).toEqual([limits.connections, 1100]);
  const { port } = server.address() as AddressInfo;
  let most = 0;
  for (let count = 0; count < 2 * limits.connections; count++) {
    const caller = connect({ port, host: '127.0.0.1' }).on('error', () => {});
    const isTaken = await Promise.race([
      new Promise<boolean>((resolve) => server.once('connection', () => resolve(true))),
      new Promise<boolean>((resolve) => server.once('drop', () => resolve(false))),
    ]);
    if (isTaken) door.know(sockets.at(-1) as Socket);
    expect(isTaken).toBe(count < limits.connections);
    most = Math.max(most, door.connections);
    caller.unref();
  }
  expect(most).toBe(limits.connections);
});

it('counts nobody who has proved the secret as a stranger', async () => {
  const { door, sockets, call } = await openDoor();
  const known = await call();
  door.know(sockets[0] as Socket);
  const first = await call();
  for (let count = 1; count < limits.strangersOfAddress; count++) await call();
  const gone = end(first);
  await call();
  await gone;
  expect(known.destroyed).toBe(false);
});

it.each([
  ['does not end', 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: a'],
  ['does not begin', ''],
])('cases: peers 13: closes a connection whose request %s', async (_, text) => {
  const { call } = await openDoor();
  const slow = await call();
  const gone = end(slow);
  slow.resume().write(text);
  await gone;
  expect(slow.destroyed).toBe(true);
});

const ask = (headers: Record<string, string>, isLocal: boolean, ownOrigin: boolean): boolean =>
  refuseForeignPage({ headers } as unknown as IncomingMessage, { isLocal, ownOrigin }) === undefined;

it.each([
  ['a program', { host: '127.0.0.1:7400' }, true, false, true],
  ['a program by the name of this machine', { host: 'lab7:7400' }, false, false, true],
  ['a name that is bound to this machine', { host: 'elsewhere.example:7400' }, true, false, false],
  ['a page of its own', { host: '127.0.0.1:7410', origin: 'http://127.0.0.1:7410' }, true, true, true],
  ['a page, where none is', { host: '127.0.0.1:7400', origin: 'http://127.0.0.1:7400' }, true, false, false],
  ['another page', { host: '127.0.0.1:7410', origin: 'http://elsewhere.example' }, true, true, false],
  ['another page that shows no origin', { host: '127.0.0.1:7410', 'sec-fetch-site': 'cross-site' }, false, true, false],
  ['an address that was typed', { host: '[::1]:7410', 'sec-fetch-site': 'none' }, true, true, true],
])('of %s: %j', (_, headers, isLocal, ownOrigin, answered) => {
  expect(ask(headers, isLocal, ownOrigin)).toBe(answered);
});

it.each([
  ['127.0.0.1', true],
  ['127.9.8.7', true],
  ['[::1]', true],
  ['localhost', true],
  ['127.0.0.1.elsewhere.example', false],
  ['10.0.0.1', false],
])('knows whether %s is this machine alone', (host, expected) => expect(isLoopbackHost(host)).toBe(expected));
