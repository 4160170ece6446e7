/** `lockstep peers`: who is in a run, who broke its rules and who was turned away, asked of a run of processes. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { useFixture } from '../support/cluster-fixture.ts';
import { runHere } from '../support/program-here.ts';

const fixture = useFixture();
const ENDLESS = 1_000_000;

it('cases: peers 6: lists who is in, who broke rules and who was refused, and lifts what is held against a node', async () => {
  const run = fixture.listen(ENDLESS, ['--epochs', String(ENDLESS), '--wait-for', '1'], { LOCKSTEP_HOLD: '20:2' });
  const url = await run.url();
  fixture.worker(url, ['--name', 'honest']);
  await run.event('node-joined');
  const wild = fixture.worker(url, ['--name', 'wild\u202ename'], { LOCKSTEP_FAULT: 'contributed:0:20:nan' });
  await run.event('node-evicted');
  expect(await wild.exit).toBe(1);
  const other = path.join(fixture.folder, 'other-token');
  writeFileSync(other, 'a secret of another run\n');
  const ask = (...flags: string[]) => runHere(fixture.folder, ['peers', '--connect', url, ...flags]);
  const stranger = await ask('--token-file', other, '--pardon', 'honest');
  expect([stranger.code, stranger.error]).toEqual([2, expect.stringContaining('LOCKSTEP_NODE_TOKEN: the visitor')]);

  const { code, out } = await ask('--token-file', fixture.token);
  expect(code).toBe(0);
  expect(out).toMatch(/^bars, seed 1, step \d+: 1 node\n\nIn the run:\nNode +Address +Threads +Engine +State\n/);
  expect(out).toMatch(/^honest +127\.0\.0\.1:\d+ +1 +native \(\w+\) +takes part$/m);
  expect(out).toMatch(/^wild\\u\{202e\}name +127\.0\.0\.1 +1 +yes +LOCKSTEP_NODE_CONTRIBUTION: /m);
  expect(out).toMatch(
    /\nTurned away, the latest first:\n.*\n127\.0\.0\.1:\d+ +\d+ s +LOCKSTEP_NODE_TOKEN: the visitor/,
  );

  const nobody = await ask('--token-file', fixture.token, '--pardon', 'nobody');
  expect([nobody.code, nobody.error]).toEqual([
    2,
    expect.stringMatching(
      /--pardon nobody: no node of this name or address has broken rules here\. Those who have: wild/,
    ),
  ]);
  const pardoned = await ask('--token-file', fixture.token, '--pardon', 'wild\u202ename', '--json');
  expect(JSON.parse(pardoned.out)).toMatchObject({
    event: 'peers',
    pardoned: 1,
    struck: [],
    nodes: [{ name: 'honest' }],
  });
  expect(await run.event('node-pardoned')).toMatchObject({ node: 'wild\\u{202e}name', count: 1 });
});

it('says what keeps it from asking', async () => {
  const ask = (...flags: string[]) => runHere(fixture.folder, ['peers', ...flags]);
  expect((await ask()).error).toContain('--connect is missing: must be a URL such as ws://10.0.0.5:7400');
  const nowhere = await ask('--connect', 'ws://127.0.0.1:9');
  expect([nowhere.code, nowhere.error]).toEqual([2, expect.stringContaining('LOCKSTEP_CONNECT: cannot connect')]);
});
