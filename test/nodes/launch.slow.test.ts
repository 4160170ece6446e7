/** What takes a run of several processes to see, and nothing that changes often. */
import { afterEach, expect, it } from 'vitest';
import { Fixture } from '../support/cluster-fixture.ts';
import { findFreePort } from '../support/free-port.ts';
import type { Program } from '../support/program.ts';

const fixture = new Fixture();
afterEach(() => fixture.remove());

it('cases: work 1: Ctrl-C at rank 0 of a launch ends it and its nodes with 130', async () => {
  const port = await findFreePort();
  const [run, node] = [0, 1].map((rank) => fixture.launch(1_000_000, rank, 2, port)) as [Program, Program];
  await run.event('node-joined');
  run.kill('SIGINT');
  expect([await run.exit, await node.exit]).toEqual([130, 130]);
  expect(await run.event('end')).toMatchObject({ reason: 'interrupted', signal: 'SIGINT' });
});
