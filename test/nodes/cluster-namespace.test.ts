/** A node in a network namespace of its own, behind a virtual link: where root allows. */
import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Lan } from '../../packages/cli/dist/lab/bench/nodes/lan.js';
import { Fixture } from '../support/cluster-fixture.ts';

const STEPS = 20;
const fixture = new Fixture();
const lan = Lan.open(1, 100);

afterEach(() => fixture.clear());
afterAll(async () => {
  await fixture.remove();
  lan?.close();
});

describe.runIf(lan !== undefined)('a virtual link of 100 Mbit/s', () => {
  it('may go down without a word and come up again: the bits are the same', async () => {
    const { address = '', device = '' } = lan ?? {};
    const expected = await fixture.train(STEPS).hash();
    const flags = ['--listen', `${address}:0`, '--token-file', fixture.token, '--workers', '0'];
    const run = fixture.train(STEPS, flags, { LOCKSTEP_HOLD: '10:2' });
    const url = await run.url();
    fixture.worker(url, ['--name', 'far'], {}, lan?.prefix(1));
    await run.event('waiting', undefined, ({ reason }) => reason === 'a test holds the run');
    spawnSync('ip', ['link', 'set', device, 'down']);
    expect((await run.event('node-evicted'))['code']).toBe('LOCKSTEP_NODE_SILENT');
    spawnSync('ip', ['link', 'set', device, 'up']);
    fixture.worker(url, ['--name', 'near']);
    await run.event('node-joined', undefined, ({ node, step }) => node === 'far' && step === 10);
    expect(await run.hash()).toBe(expected);
  });
});
