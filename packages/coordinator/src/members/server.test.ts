import net from 'node:net';
import { expect, it } from 'vitest';
import { listenForNodes } from './server.js';

it('waits: last words: a port is shut although somebody stays connected to it', async () => {
  const server = await listenForNodes({ host: '127.0.0.1', port: 0, hasToken: true }, async () => {});
  const client = net.connect(Number(new URL(server.url).port), '127.0.0.1');
  await new Promise((done) => client.once('connect', done));
  const gone = new Promise<void>((done) => client.resume().once('close', () => done()));
  await server.close();
  await gone;
  expect(client.destroyed).toBe(true);
});
