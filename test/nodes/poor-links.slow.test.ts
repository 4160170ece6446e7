/** A node behind a link as slow and as bad as any that is still of use: some minutes long. */
import { execFileSync } from 'node:child_process';
import { afterAll, expect, it } from 'vitest';
import { BIN, Fixture } from '../support/cluster-fixture.ts';
import { Program } from '../support/program.ts';
import { flipEvery, HarmfulProxy, portOf } from './harmful-proxy.ts';

const fixture = new Fixture();
afterAll(() => fixture.remove());

it('cases: peers 14: 60 kB/s with a flipped bit in each 400 kB joins, gets 7.8 MB of data, and ends with the same hash', async () => {
  const env = { LOCKSTEP_CACHE: fixture.folder, LOCKSTEP_OFFLINE: '1' };
  const train = [BIN, 'train', 'net19k', '--steps', '6', '--seed', '1', '--no-save', '--json'];
  const start = (args: readonly string[]): Program => {
    const program = new Program([process.execPath, ...args], env);
    fixture.running.add(program);
    return program;
  };
  const alone = execFileSync(process.execPath, [...train, '--workers', '1'], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  const expected = JSON.parse(alone.trimEnd().split('\n').at(-1) as string)['parametersSha256'];
  const run = start([
    ...train,
    ...['--workers', '0', '--listen', '127.0.0.1:0', '--token-file', fixture.token, '--wait-for', '1'],
  ]);
  const proxy = new HarmfulProxy(portOf(await run.url()));
  const { tamper, flips } = flipEvery(400_000);
  proxy.tamper = tamper;
  proxy.bytesPerSecond = 60_000;
  const url = await proxy.open();
  const node = start([BIN, 'worker', '--connect', url, '--threads', '1', '--token-file', fixture.token]);
  expect(await run.hash(900_000)).toBe(expected);
  expect(await node.exit).toBe(0);
  proxy.close();
  expect(flips()).toBeGreaterThan(15);
  expect(run.events.filter(({ code }) => code === 'LOCKSTEP_NODE_BANNED')).toEqual([]);
});
