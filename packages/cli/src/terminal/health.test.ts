import { afterEach, expect, it } from 'vitest';
import { HealthServer } from './health.js';

const open: HealthServer[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function start(port = 0): Promise<HealthServer> {
  const server = (await HealthServer.open({ host: '127.0.0.1', port })) as HealthServer;
  open.push(server);
  return server;
}

async function ask(server: HealthServer, path: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
  await response.text();
  return response.status;
}

it('lives at once, and is ready when it is told so', async () => {
  const server = await start();
  expect([await ask(server, '/healthz'), await ask(server, '/readyz')]).toEqual([200, 503]);
  server.setReady();
  expect(await ask(server, '/readyz')).toBe(200);
  expect(await ask(server, '/else')).toBe(404);
});

it('names the port that another program has', async () => {
  const { port } = await start();
  await expect(HealthServer.open({ host: '127.0.0.1', port })).rejects.toMatchObject({
    code: 'LOCKSTEP_HEALTH',
    message: expect.stringContaining(`127.0.0.1:${port}: another program`),
  });
});

it('opens nothing when it is not asked to', async () => {
  expect(await HealthServer.open(undefined)).toBeUndefined();
});
