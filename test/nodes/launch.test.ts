/** `lockstep launch` without a launcher: processes that are told by variables who they are, and asked how they are. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Fixture } from '../support/cluster-fixture.ts';
import { findFreePort } from '../support/free-port.ts';
import type { Program } from '../support/program.ts';

const STEPS = 40;
const HELD_STEP = 20;
const SIZE = 3;
const HOLD = { LOCKSTEP_HOLD: `${HELD_STEP}:${SIZE}` };
const fixture = new Fixture();
let expected = '';
let port = 0;

beforeAll(async () => {
  expected = await fixture.hashAlone(STEPS);
  port = await findFreePort();
});
afterEach(() => fixture.clear());
afterAll(() => fixture.remove());

const start = (rank: number, flags: readonly string[] = [], env: Record<string, string> = {}): Program =>
  fixture.launch(STEPS, rank, SIZE, port, flags, env);

const isHeld = (run: Program) => run.event('waiting', undefined, ({ reason }) => reason === 'a test holds the run');

/** A node more than were launched: it ends the hold. */
const startAnother = (): Program => fixture.worker(`ws://127.0.0.1:${port}`, ['--name', 'another']);

describe('three processes with the same line', () => {
  it.each(['star', 'mesh'])(
    'are one run with the bits of one process, in a %s, whoever is there first',
    async (topology) => {
      const nodes = [2, 1].map((rank) => start(rank, ['--topology', topology]));
      await Promise.all(nodes.map((node) => node.until(() => node.stderr.includes('lost: '), 'a call of nobody')));
      const run = start(0, ['--topology', topology]);
      expect(await run.hash()).toBe(expected);
      expect(await Promise.all([run, ...nodes].map(({ exit }) => exit))).toEqual([0, 0, 0]);
      const joined = run.events.filter(({ event }) => event === 'node-joined').map(({ node }) => node);
      expect(joined.sort()).toEqual(['rank-1', 'rank-2']);
    },
  );

  it('go on where they were when rank 0 is ended by SIGTERM and started again', async () => {
    const flags = ['--checkpoint', `${fixture.folder}/launched`];
    const stopped = start(0, flags, HOLD);
    const nodes = [1, 2].map((rank) => start(rank, flags));
    await isHeld(stopped);
    stopped.kill('SIGTERM');
    expect(await stopped.exit).toBe(75);
    const resumed = start(0, flags);
    expect(await resumed.hash()).toBe(expected);
    const joined = resumed.events.filter(({ event }) => event === 'node-joined');
    // the step that was waited for is done first
    expect(joined.map(({ step }) => step)).toEqual([HELD_STEP + 1, HELD_STEP + 1]);
    expect(await Promise.all([resumed, ...nodes].map(({ exit }) => exit))).toEqual([0, 0, 0]);
  });
});

describe('--health', () => {
  const ask = async (at: string, path: string): Promise<string> => {
    const response = await fetch(`http://${at}${path}`);
    return `${response.status} ${(await response.text()).trim()}`;
  };
  const askBoth = (at: string): Promise<string[]> => Promise.all(['/healthz', '/readyz'].map((path) => ask(at, path)));

  it('answers in every process: alive from the start, ready when steps are done or the node takes part', async () => {
    const [first = '', second = ''] = [await findFreePort(), await findFreePort()].map((free) => `127.0.0.1:${free}`);
    const node = start(1, ['--health', second]);
    await node.until(() => node.stderr.includes('lost: '), 'a call of nobody');
    expect(await askBoth(second)).toEqual(['200 alive', '503 not yet']);
    const run = start(0, ['--health', first], HOLD);
    await run.event('waiting', undefined, ({ nodes }) => nodes === 1);
    expect(await askBoth(second)).toEqual(['200 alive', '200 ready']);
    expect(await askBoth(first)).toEqual(['200 alive', '503 not yet']);
    start(2);
    await isHeld(run);
    for (const at of [first, second]) expect(await askBoth(at)).toEqual(['200 alive', '200 ready']);
    expect(await ask(first, '/')).toBe('404 there are /healthz and /readyz');
    startAnother();
    expect(await run.hash()).toBe(expected);
    expect([await run.exit, await node.exit]).toEqual([0, 0]);
    await expect(ask(first, '/healthz')).rejects.toThrow();
  });

  it('ends a process whose port another has, before it does anything', async () => {
    const at = `127.0.0.1:${await findFreePort()}`;
    const node = start(1, ['--health', at]);
    await node.until(() => node.stderr.includes('lost: '), 'a call of nobody');
    const run = start(0, ['--health', at]);
    expect(await run.exit).toBe(2);
    expect(run.stderr).toContain(`LOCKSTEP_HEALTH: cannot answer probes on ${at}: another program listens there`);
  });
});
