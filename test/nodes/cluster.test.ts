/** Runs over several processes of the real CLI: whatever happens to them, the bits are those of one process alone. */
import { readdirSync, statSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Fixture, useFixture } from '../support/cluster-fixture.ts';
import type { Event, Program } from '../support/program.ts';
import { HarmfulProxy, portOf } from './harmful-proxy.ts';

const STEPS = 40;
/** What a mesh does as a star does is seen over a star alone; over a mesh too in cluster.slow.test.ts. */
const isSlow = process.env['LOCKSTEP_SLOW'] === '1';
const fixture = useFixture(STEPS);

/** Which file it is, whatever its name. */
function describeFile(path: string): string {
  const { ino, mtimeMs, size } = statSync(path);
  return `${path}: ${size} bytes, ${ino} of ${mtimeMs}`;
}

/** Ends well, with the bits of one process. */
async function expectSameBits(coordinator: Program): Promise<void> {
  expect(await coordinator.hash()).toBe(fixture.expected);
  expect(await coordinator.exit).toBe(0);
}

it('cases: peers 12, 24: waits for another where one of those it has waited for is gone, and gives each its own name', async () => {
  const coordinator = fixture.listen(STEPS, ['--wait-for', '2']);
  const url = await coordinator.url();
  const waiting = () => coordinator.events.filter(({ event }) => event === 'waiting').map(({ nodes }) => nodes);
  const waitFor = (...counts: readonly number[]) =>
    coordinator.until(() => waiting().join() === counts.join(), `waiting for nodes: ${counts}`);
  const doomed = fixture.worker(url, ['--name', 'lab']);
  await waitFor(0, 1);
  doomed.kill('SIGKILL');
  await waitFor(0, 1, 0);
  fixture.worker(url, ['--name', 'lab']);
  await waitFor(0, 1, 0, 1);
  fixture.worker(url, ['--name', 'lab']);
  await coordinator.event('node-joined', undefined, ({ node }) => node === 'lab#2');
  await expectSameBits(coordinator);
  const joined = coordinator.events.filter(({ event }) => event === 'node-joined').map(({ node }) => node);
  expect(joined.sort()).toEqual(['lab', 'lab#2']);
});

describe.each(['star', 'mesh'])('a %s', (topology) => {
  const mesh = topology === 'mesh' ? ['--mesh-listen', '127.0.0.1:0'] : [];
  const flags = ['--topology', topology];
  const isWhole = topology === 'star' || isSlow;

  it.each([
    ...(isWhole ? [['2 nodes', ['1'], ['--workers', '1']] as const] : []),
    ['3 nodes with uneven threads', ['2', '1'], ['--workers', '1']],
    ...(isWhole ? [['2 nodes and a coordinator that only coordinates', ['1', '3'], ['--workers', '0']] as const] : []),
  ] as const)('gives the bits of one process with %s', async (_, threads, workers) => {
    const coordinator = fixture.listen(STEPS, [...flags, ...workers, '--wait-for', String(threads.length)]);
    const url = await coordinator.url();
    const nodes = threads.map((count) => fixture.worker(url, ['--threads', count, ...mesh]));
    await expectSameBits(coordinator);
    for (const node of nodes) expect(await node.exit).toBe(0);
  });

  it('cases: issue 26: gives the bits of one process with native kernels and those in WebAssembly', async () => {
    const [here, there] = topology === 'star' ? ['native', 'wasm'] : ['wasm', 'native'];
    const coordinator = fixture.listen(STEPS, [...flags, '--kernels', here, '--workers', '1', '--wait-for', '1']);
    const node = fixture.worker(await coordinator.url(), ['--kernels', there, ...mesh]);
    await expectSameBits(coordinator);
    expect(String((await coordinator.event('start'))['engine']).includes('(wasm')).toBe(here === 'wasm');
    expect(await node.exit).toBe(0);
  });

  if (isWhole) {
    it('takes in a node at step 10', async () => {
      const coordinator = fixture.listen(STEPS, [...flags, '--wait-for', '1'], { LOCKSTEP_HOLD: '10:2' });
      const url = await coordinator.url();
      fixture.worker(url, mesh);
      await coordinator.event('waiting', undefined, ({ reason }) => reason === 'a test holds the run');
      fixture.worker(url, ['--name', 'late', ...mesh]);
      expect((await coordinator.event('node-joined', undefined, ({ node }) => node === 'late'))['step']).toBe(10);
      await expectSameBits(coordinator);
    });
  }

  // at the other points too in cluster-chaos.slow.test.ts
  it.each(topology === 'star' ? ['contribute', 'update'] : ['contributed'])(
    'goes on without a node that is killed at step 20 (%s)',
    async (point) => {
      const coordinator = fixture.listen(STEPS, [...flags, '--wait-for', '2']);
      const url = await coordinator.url();
      fixture.worker(url, ['--name', 'doomed', ...mesh], { LOCKSTEP_FAULT: `${point}:0:20:kill` });
      fixture.worker(url, mesh);
      await coordinator.event('node-left', undefined, ({ node }) => node === 'doomed');
      await expectSameBits(coordinator);
    },
  );

  it('evicts a node that is stopped past its deadline, and takes it in again when it wakes', async () => {
    const coordinator = fixture.listen(STEPS, [...flags, '--wait-for', '2'], { LOCKSTEP_HOLD: '30:2' });
    const url = await coordinator.url();
    const asleep = fixture.worker(url, ['--name', 'asleep', ...mesh], { LOCKSTEP_FAULT: 'contributed:0:20:stop' });
    fixture.worker(url, mesh);
    const evicted = await coordinator.event('node-evicted');
    expect(evicted['node']).toBe('asleep');
    expect(['LOCKSTEP_NODE_STALLED', 'LOCKSTEP_NODE_SILENT']).toContain(evicted['code']);
    await coordinator.event('waiting', undefined, ({ reason }) => reason === 'a test holds the run');
    asleep.kill('SIGCONT');
    await coordinator.event('node-joined', undefined, ({ node, step }) => node === 'asleep' && step === 30);
    await expectSameBits(coordinator);
  });

  if (isWhole) {
    it('lets a node leave on Ctrl-C', async () => {
      const coordinator = fixture.listen(STEPS, [...flags, '--wait-for', '2'], { LOCKSTEP_HOLD: '15:3' });
      const url = await coordinator.url();
      const leaver = fixture.worker(url, ['--name', 'leaver', ...mesh]);
      fixture.worker(url, mesh);
      await coordinator.event('waiting', undefined, ({ reason }) => reason === 'a test holds the run');
      leaver.kill('SIGINT');
      expect(await leaver.exit).toBe(0);
      expect((await coordinator.event('node-left'))['reason']).toContain('leaver left: it was asked to');
      for (const name of ['b', 'c']) fixture.worker(url, ['--name', name, ...mesh]);
      await expectSameBits(coordinator);
    });
  }

  it.each([
    ...(isWhole ? [['and goes on without it', '1'] as const] : []),
    ['also of the sums that it finishes itself', '0'],
  ] as const)('goes on without sums that are not numbers at step 20, %s', async (_, workers) => {
    const coordinator = fixture.listen(STEPS, [...flags, '--workers', workers, '--wait-for', '2']);
    const url = await coordinator.url();
    const wrong = fixture.worker(url, ['--name', 'wrong', ...mesh], { LOCKSTEP_FAULT: 'contributed:0:20:nan' });
    await coordinator.event('waiting', undefined, ({ nodes }) => nodes === 1);
    const right = fixture.worker(url, ['--name', 'right', ...mesh]);
    if (topology === 'mesh') {
      // by the other node, and the step is begun again as a star; or the coordinator has seen bad sums of its own slice first
      const isNamed = ({ event, node }: Event): boolean => /^node-(doubted|evicted)$/.test(event) && node === 'wrong';
      expect(await coordinator.until(() => coordinator.events.find(isNamed), 'a word of it')).toMatchObject({
        step: 20,
      });
      await expectSameBits(coordinator);
      expect(await right.exit).toBe(0);
      return;
    }
    const evicted = await coordinator.event('node-evicted');
    expect(evicted).toMatchObject({ node: 'wrong', step: 20, code: 'LOCKSTEP_NODE_CONTRIBUTION' });
    await expectSameBits(coordinator);
    expect(await wrong.exit).toBe(1);
    expect(wrong.stderr).toContain('LOCKSTEP_NODE_CONTRIBUTION: its result was not a finite number');
    expect(await right.exit).toBe(0);
  });

  if (isWhole) {
    it("goes on without the coordinator's result when that is not a number", async () => {
      const coordinator = fixture.listen(STEPS, [...flags, '--wait-for', '2'], {
        LOCKSTEP_FAULT: 'contributed:0:20:nan',
      });
      const url = await coordinator.url();
      for (const name of ['a', 'b']) fixture.worker(url, ['--name', name, ...mesh]);
      await expectSameBits(coordinator);
      expect(coordinator.events.filter(({ event }) => event === 'node-evicted')).toEqual([]);
    });
  }

  if (isWhole) {
    it('computes a loss that is not finite twice, and stops with an error that names the step', async () => {
      const coordinator = fixture.listen(STEPS, [...flags, '--wait-for', '2', '--lr', '1e30']);
      const url = await coordinator.url();
      const nodes = ['a', 'b'].map((name) => fixture.worker(url, ['--name', name, ...mesh]));
      expect(await coordinator.exit).toBe(2);
      expect(coordinator.stderr).toMatch(
        /LOCKSTEP_LOSS_NOT_FINITE: the loss of step \d+ \(epoch 1\) is not a finite number, computed twice/,
      );
      for (const node of nodes) expect(await node.exit).toBe(2);
    });
  }

  it('goes on after the coordinator was killed and resumed from its checkpoint', async () => {
    const folder = `${fixture.folder}/checkpoints-of-${topology}`;
    const checkpoint = ['--checkpoint', folder, '--every', '10 steps'];
    const killed = fixture.listen(STEPS, [...flags, '--wait-for', '2', ...checkpoint], {
      LOCKSTEP_FAULT: 'update:0:25:kill',
    });
    const port = portOf(await killed.url());
    const nodes = ['a', 'b'].map((name) => fixture.worker(`ws://127.0.0.1:${port}`, ['--name', name, ...mesh]));
    expect(await killed.exit).toBe(128);
    const listen = ['--listen', `127.0.0.1:${port}`, '--token-file', fixture.token, '--wait-for', '2'];
    const resumed = fixture.train(STEPS, [...flags, '--resume', folder, ...listen]);
    await resumed.event('node-joined', undefined, ({ step }) => step === 20);
    await expectSameBits(resumed);
    for (const node of nodes) expect(await node.exit).toBe(0);
  });
});

describe('a star', () => {
  it('survives a link that is cut and comes back', async () => {
    const coordinator = fixture.listen(STEPS, ['--workers', '0'], { LOCKSTEP_HOLD: '10:2' });
    const url = await coordinator.url();
    const proxy = new HarmfulProxy(portOf(url));
    fixture.worker(await proxy.open(), ['--name', 'far']);
    await coordinator.event('waiting', undefined, ({ reason }) => reason === 'a test holds the run');
    proxy.isDown = true;
    proxy.cut();
    await coordinator.event('node-left');
    proxy.isDown = false;
    fixture.worker(url);
    await coordinator.event('node-joined', undefined, ({ node, step }) => node === 'far' && step === 10);
    await expectSameBits(coordinator);
    proxy.close();
  });

  it('waits when no node is left, says so, and goes on when one comes', async () => {
    const coordinator = fixture.listen(STEPS, ['--workers', '0']);
    const url = await coordinator.url();
    fixture.worker(url, [], { LOCKSTEP_FAULT: 'contribute:0:20:kill' });
    await coordinator.event('node-left');
    await coordinator.event('waiting', undefined, ({ reason }) => String(reason).includes('no node is left'));
    fixture.worker(url);
    await expectSameBits(coordinator);
  });

  it('sends the dataset to a node that has none, once', async () => {
    const cache = `${fixture.folder}/empty-cache`;
    const kept: string[] = [];
    for (const _ of ['first', 'second']) {
      const coordinator = fixture.listen(STEPS, ['--wait-for', '1']);
      const node = fixture.worker(await coordinator.url(), ['--no-data'], { LOCKSTEP_CACHE: cache });
      await expectSameBits(coordinator);
      expect(await node.exit).toBe(0);
      kept.push(...readdirSync(`${cache}/datasets`).map((file) => describeFile(`${cache}/datasets/${file}`)));
    }
    // what is written appears by a rename, so a second writing would be another file
    expect(kept).toHaveLength(2);
    expect(kept[1]).toBe(kept[0]);
  });

  it('computes shards twice with --audit, and finds nothing', async () => {
    const coordinator = fixture.listen(STEPS, ['--wait-for', '1', '--audit', '0.5']);
    fixture.worker(await coordinator.url());
    await expectSameBits(coordinator);
    expect(coordinator.events.filter(({ event }) => event === 'node-evicted')).toEqual([]);
  });

  it('replaces a worker thread of a node that dies', async () => {
    const coordinator = fixture.listen(STEPS, ['--wait-for', '1']);
    const node = fixture.worker(await coordinator.url(), ['--threads', '2'], {
      LOCKSTEP_FAULT: 'contribute:1:20:exit',
    });
    await expectSameBits(coordinator);
    expect(node.stderr).toContain('it was replaced');
  });
});

it('deals more shards to the faster of two nodes, as measured', async () => {
  const batch = ['--batch-size', '256'];
  const alone = fixture.train(STEPS, batch);
  const coordinator = fixture.listen(STEPS, [...batch, '--workers', '0', '--wait-for', '2'], { LOCKSTEP_EVEN: '0' });
  const url = await coordinator.url();
  fixture.worker(url, ['--name', 'slow'], { LOCKSTEP_ISA: 'wasm-exact' });
  fixture.worker(url, ['--name', 'fast']);
  expect(await coordinator.hash()).toBe(await alone.hash());
  const dealt = coordinator.events.filter(({ event }) => event === 'rebalanced');
  const sharesIn = (event = dealt[0] as Event): Record<string, number> => {
    const shares = event['shards'] as { node: string; shards: number }[];
    return Object.fromEntries(shares.map(({ node, shards }) => [node, shards]));
  };
  expect(sharesIn()).toEqual({ fast: 8, slow: 8 });
  const { fast = 0, slow = 0 } = sharesIn(dealt.at(-1));
  expect(fast).toBeGreaterThan(slow);
});

describe('a model with a large dense layer', () => {
  const STEPS_OF_WIDE = 15;
  const wide = new Fixture(true);
  let bits = '';
  beforeAll(async () => {
    bits = await wide.hashAlone(STEPS_OF_WIDE);
  });
  afterEach(() => wide.clear());
  afterAll(() => wide.remove());

  // small buckets, so that those of the dense layer leave while the convolution is still computed
  it.each([
    ['star', '4096'],
    ['mesh', '4096'],
    ['star', '262144'],
  ])(
    'has the same bits over a %s in buckets of %s floats, also when a worker is lost on the way',
    async (topology, floats) => {
      const env = { LOCKSTEP_BUCKET_FLOATS: floats };
      const coordinator = wide.listen(STEPS_OF_WIDE, ['--topology', topology, '--wait-for', '1'], env);
      const node = wide.worker(await coordinator.url(), ['--threads', '2', '--mesh-listen', '127.0.0.1:0'], {
        ...env,
        LOCKSTEP_FAULT: 'contributed:1:7:exit',
      });
      expect(await coordinator.hash()).toBe(bits);
      expect(await coordinator.exit).toBe(0);
      expect(node.stderr).toContain('it was replaced');
    },
  );
});
