import net from 'node:net';
import { expect, it } from 'vitest';
import { connect } from './connect.js';

const timings = { heartbeatMs: 1e6, silenceMs: 1e7 };

/** What answers in clear to whoever begins with TLS, as a coordinator without a certificate does. */
async function listenInClear(): Promise<net.Server> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

it('says in one line, with the address once, why there is no connection', async () => {
  const server = await listenInClear();
  const { port } = server.address() as net.AddressInfo;
  const fail = (scheme: string): Promise<unknown> =>
    connect(`${scheme}://127.0.0.1:${port}`, { timings }).then(
      () => undefined,
      (error: Error) => error.message,
    );
  const tls = (await fail('wss')) as string;
  await new Promise((done) => server.close(done));
  expect(tls).toMatch(
    /^LOCKSTEP_CONNECT: cannot connect to wss:\/\/127\.0\.0\.1:\d+: .*EPROTO.*[^.:]\. One side may speak TLS/,
  );
  expect(tls).not.toContain('\n');
  const refused = await fail('ws');
  expect(refused).toBe(
    `LOCKSTEP_CONNECT: cannot connect to ws://127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}. Nothing listens there: is the coordinator started, with --listen and this port?`,
  );
});

it('waits: connection: who answers a byte at a time is given up as one that is silent', async () => {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    const drip = setInterval(() => socket.write('x'), 20);
    socket.on('close', () => clearInterval(drip));
    socket.write('HTTP/1.1 101 Switching Protocols\r\nX-Slow: ');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as net.AddressInfo;
  const connecting = connect(`ws://127.0.0.1:${port}`, { timings: { heartbeatMs: 20, silenceMs: 200 } });
  await expect(connecting).rejects.toThrow(/LOCKSTEP_CONNECT: cannot connect to .*: nothing was heard/);
  await new Promise((done) => server.close(done));
});
