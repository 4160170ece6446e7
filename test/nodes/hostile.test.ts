/** What a run does with peers that break the rules: each is turned away with a reason, and the bits stay the same. */
import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type ContributionLayout,
  canonicalPartials,
  planBuckets,
  type ShardRange,
} from '../../packages/core/dist/run/index.js';
import { plainText } from '../../packages/core/dist/text/index.js';
import { type Assignment, MAX_FRAME_BYTES, type Message } from '../../packages/core/dist/wire/index.js';
import { Fixture } from '../support/cluster-fixture.ts';
import type { Program } from '../support/program.ts';
import { HarmfulProxy, portOf } from './harmful-proxy.ts';
import { HostileNode, learnSelfTest } from './hostile-node.ts';

const STEPS = 25;
/** What 300 connections may take: some tens of KiB each, and as much again that is not collected yet. */
const CROWD_MEBIBYTES = 64;
const fixture = new Fixture();
let expected = '';
let selfTest = '';

beforeAll(async () => {
  expected = await fixture.hashAlone(STEPS);
  selfTest = await learnSelfTest(fixture);
});
afterEach(() => fixture.clear());
afterAll(() => fixture.remove());

/** A run that is held at step 5 until an honest node has come. */
async function startRun(flags: readonly string[] = [], on = fixture): Promise<{ run: Program; url: string }> {
  const run = on.listen(STEPS, ['--wait-for', '1', ...flags]);
  return { run, url: await run.url() };
}

async function expectUntouched(run: Program, url: string, on = fixture): Promise<void> {
  on.worker(url, ['--name', 'honest']);
  expect(await run.hash()).toBe(expected);
  expect(await run.exit).toBe(0);
}

const countRefusals = (run: Program, wanted?: string): number =>
  run.events.filter(({ event, code }) => event === 'node-refused' && (wanted === undefined || code === wanted)).length;

const refusalOf = (run: Program, wanted: string): Promise<Record<string, unknown>> =>
  run.event('node-refused', undefined, ({ code }) => code === wanted);

describe('before the handshake is over', () => {
  describe('what is sent to one run', () => {
    const own = new Fixture();
    let one: { run: Program; url: string };
    beforeAll(async () => {
      one = await startRun([], own);
    });
    afterAll(() => own.remove());

    it('refuses a wrong token', async () => {
      const { run, url } = one;
      const node = new HostileNode(url, Buffer.from('another token'));
      await node.greet();
      expect(await node.closed).toBe('LOCKSTEP_NODE_TOKEN');
      expect((await refusalOf(run, 'LOCKSTEP_NODE_TOKEN'))['reason']).toBe(
        'the node does not hold the token of this run. Give both sides the same --token-file.',
      );
    });

    it('refuses a hello that was recorded from another handshake', async () => {
      const { run, url } = one;
      const recorded: Buffer[] = [];
      const proxy = new HarmfulProxy(portOf(url));
      proxy.tamper = (chunk, direction) => {
        if (direction === 'up') recorded.push(chunk);
        return chunk;
      };
      const honest = new HostileNode(await proxy.open());
      await honest.greet();
      await honest.next('welcome');
      proxy.close();
      const bytes = Buffer.concat(recorded);
      const before = countRefusals(run, 'LOCKSTEP_NODE_TOKEN');
      const replay = net.connect(portOf(url), '127.0.0.1');
      replay.on('error', () => {});
      replay.write(bytes);
      const isRefused = run.until(() => countRefusals(run, 'LOCKSTEP_NODE_TOKEN') > before, 'a refusal of the replay');
      await expect(isRefused).resolves.toBe(true);
    });

    it('refuses another release, and names both', async () => {
      const { run, url } = one;
      const node = new HostileNode(url);
      await node.greet({ protocol: 99, version: '9.9.9' });
      expect(await node.closed).toBe('LOCKSTEP_NODE_VERSION');
      expect((await refusalOf(run, 'LOCKSTEP_NODE_VERSION'))['reason']).toContain(
        'the node runs Lockstep 9.9.9 (protocol 99), the coordinator 0.1.0',
      );
    });

    it('refuses kernels that compute other bits', async () => {
      const node = new HostileNode(one.url);
      void node.join('0'.repeat(64));
      expect(await node.closed).toBe('LOCKSTEP_NODE_SELF_TEST');
    });

    it.each([
      [
        'random bytes',
        Buffer.from('8f3c5b1e77aa90c2d4e6f80123456789abcdef00112233445566778899', 'hex'),
        'LOCKSTEP_NODE_FRAME',
      ],
      ['an empty frame', Buffer.alloc(0), 'LOCKSTEP_NODE_FRAME'],
      [
        'a header that is said to be longer than the frame',
        frameOf(Buffer.from([0x80]), 60_000),
        'LOCKSTEP_NODE_FRAME',
      ],
      ['valid MessagePack of the wrong shape', frameOf(Buffer.from([0x93, 1, 2, 3])), 'LOCKSTEP_NODE_MESSAGE'],
      ['a map with __proto__', frameOf(protoMap()), 'LOCKSTEP_NODE_MESSAGE'],
      [
        'an array said to have four billion elements',
        frameOf(Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff])),
        'LOCKSTEP_NODE_FRAME',
      ],
      ['5000 bytes', Buffer.alloc(5000), 'LOCKSTEP_NODE_FRAME'],
    ])('rubbish in the form of %s ends its connection', async (_, bytes, code) => {
      const node = new HostileNode(one.url);
      await node.open();
      node.socket.send(bytes);
      expect(await node.closed).toBe(code);
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    });

    it('rubbish in the form of a frame beyond the limit is dropped before it is read', async () => {
      const before = countRefusals(one.run);
      const node = new HostileNode(one.url);
      await node.open();
      node.socket.send(Buffer.alloc(MAX_FRAME_BYTES + 1));
      await node.closed;
      await expect(one.run.until(() => countRefusals(one.run) > before, 'a refusal')).resolves.toBe(true);
    });

    it.each([{ name: 'another' }, { workers: 2 }, { engine: 'native (other)' }, { meshPort: 9 }])(
      'cases: peers 9: as a hello that was changed on the way (%j) is refused',
      async (spoil) => {
        const node = new HostileNode(one.url);
        await node.greet({}, spoil);
        expect(await node.closed).toBe('LOCKSTEP_NODE_TOKEN');
      },
    );

    it('cases: peers 9: as a frame that comes with the hello, before there is a key, ends its connection', async () => {
      const node = new HostileNode(one.url);
      await node.greet();
      node.send({ type: 'inquire', needsData: false });
      expect(['LOCKSTEP_NODE_ORDER', 'LOCKSTEP_NODE_FRAME', 'LOCKSTEP_NODE_SEAL']).toContain(await node.closed);
    });

    it('cases: peers 17: with controls in its texts is refused, or shown in one line without them', async () => {
      const other = new HostileNode(one.url);
      await other.greet({ version: '1\u001b[2J' });
      expect(await other.closed).toBe('LOCKSTEP_NODE_MESSAGE');
      const node = new HostileNode(one.url);
      const name = 'lab\u001b[31m\nforged';
      await node.join(selfTest, { name: plainText(name) }, { name });
      expect((await one.run.event('node-joined'))['node']).toBe('lab\\u{1b}[31m\\u{a}forged');
      for (const { reason } of one.run.events) expect(String(reason ?? '')).not.toMatch(/\p{Cc}/u);
      node.socket.terminate();
    });

    it('changes no bit of it', () => expectUntouched(one.run, one.url, own));
  });

  it('cases: peers 3: 80 silent connections that come again when they are closed, and slow ones, keep no node out', async () => {
    const { run, url } = await startRun();
    const before = run.peakMebibytes;
    let isOver = false;
    const silent = new Set<net.Socket>();
    const connect = (): void => {
      if (isOver) return;
      const socket = net.connect(portOf(url), '127.0.0.1').on('error', () => {});
      silent.add(socket);
      socket.on('close', () => {
        silent.delete(socket);
        connect();
      });
    };
    for (let count = 0; count < 80; count++) connect();
    const strangers = Array.from({ length: 100 }, () => new HostileNode(url));
    const slow = net.connect(portOf(url), '127.0.0.1').on('error', () => {});
    const isClosed = new Promise((resolve) => slow.on('close', resolve));
    slow.write(`GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ${'a'.repeat(1000)}`);
    await isClosed;
    if (before !== undefined) expect(run.peakMebibytes).toBeLessThan(before + CROWD_MEBIBYTES);
    await expectUntouched(run, url);
    isOver = true;
    for (const socket of silent) socket.destroy();
    for (const { socket } of strangers) socket.terminate();
    expect(run.events.filter(({ code }) => code === 'LOCKSTEP_NODE_CROWD')).toEqual([]);
  });
});

describe('cases: peers 2: of web pages in a browser of this machine', () => {
  const page = { origin: 'http://elsewhere.example' };
  const name = { host: 'elsewhere.example:7400' };
  it.each([
    ['with a token, another page', ['--token-file', fixture.token], [page]],
    ['without one, another page and a name that leads here', [], [page, name]],
  ])('%s is kept out', async (_, token, strange) => {
    const run = fixture.train(STEPS, ['--listen', '127.0.0.1:0', '--wait-for', '1', ...token]);
    const url = await run.url();
    for (const headers of strange) {
      const node = new HostileNode(url, undefined, headers);
      expect(await node.closed).toBe('');
      expect(node.frames).toEqual([]);
    }
    fixture.worker(url, ['--name', 'honest', ...(token.length > 0 ? [] : ['--no-token'])]);
    expect(await run.hash()).toBe(expected);
  });
});

/** A frame around a header, which may lie about its length. */
function frameOf(header: Buffer, claimed = header.length): Buffer {
  const prefix = Buffer.alloc(20);
  prefix.writeUInt32LE(claimed, 16);
  return Buffer.concat([prefix, header]);
}

/** { type: 'leaving', text: '', __proto__: { polluted: true } } */
function protoMap(): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([0xa0 | value.length]), Buffer.from(value)]);
  const pairs = [text('type'), text('leaving'), text('text'), text(''), text('__proto__')];
  return Buffer.concat([Buffer.from([0x83]), ...pairs, Buffer.from([0x81]), text('polluted'), Buffer.from([0xc3])]);
}

describe('from a node that has the token', () => {
  /** The partial sums that an assignment asks the node for, of zeros. */
  function contribute(node: HostileNode, assignment: Assignment, change: (sum: Contribution) => void): void {
    const { step, generation } = assignment;
    for (const range of canonicalPartials(rangeOf(assignment, node))) {
      const sum: Contribution = {
        message: { type: 'partial', step, generation, ...range, offset: 0 },
        floats: new Float32Array(FLOATS),
        spoil: () => {},
      };
      change(sum);
      node.send(sum.message, new Uint8Array(sum.floats.buffer, 0, sum.floats.byteLength), sum.spoil);
    }
  }

  it.each<[string, (sum: Contribution) => void, string]>([
    ['gradients of the wrong length', (sum) => (sum.floats = new Float32Array(16)), 'LOCKSTEP_NODE_CONTRIBUTION'],
    [
      'shards of somebody else',
      (sum) => Object.assign(sum.message, { begin: 0, end: 1 }),
      'LOCKSTEP_NODE_CONTRIBUTION',
    ],
    [
      'floats from the middle of a bucket',
      (sum) => Object.assign(sum.message, { offset: 16 }),
      'LOCKSTEP_NODE_CONTRIBUTION',
    ],
    ['NaN gradients', (sum) => (sum.floats[3] = Number.NaN), 'LOCKSTEP_NODE_CONTRIBUTION'],
    [
      'a flipped bit',
      (sum) => (sum.spoil = (bytes) => bytes.writeUInt8((bytes.at(-1) ?? 0) ^ 1, bytes.length - 1)),
      'LOCKSTEP_NODE_SEAL',
    ],
    [
      'a challenge',
      (sum) => (sum.message = { type: 'challenge', protocol: 1, version: '', nonce: '0'.repeat(64) }),
      'LOCKSTEP_NODE_ORDER',
    ],
  ])('drops one that sends %s', async (_, change, code) => {
    const { run, url } = await startRun();
    const node = new HostileNode(url);
    contribute(node, await node.join(selfTest), change);
    const evicted = await run.event('node-evicted');
    expect(evicted['code']).toBe(code);
    expect(evicted['address']).toContain('127.0.0.1');
    expect(await run.hash()).toBe(expected);
  });

  it('drops one whose sums are wrong but well formed, and does not use them', async () => {
    const { run, url } = await startRun();
    const node = new HostileNode(url);
    let assignment = await node.join(selfTest);
    void (async () => {
      for (;;) {
        const { members, step, generation, withHash } = assignment;
        if (members.some(({ node: id }) => id !== 0)) contribute(node, assignment, () => {});
        node.send({
          type: 'applied',
          step,
          generation,
          computeMs: 0.5,
          updateMs: 0.25,
          exchangeMs: 0.5,
          stepMs: 1,
          ...(withHash && { hash: '0'.repeat(64) }),
        });
        assignment = (await node.next('assign')).message;
      }
    })().catch(() => {});
    expect((await run.event('node-evicted'))['code']).toBe('LOCKSTEP_NODE_REPLICA');
    expect(await run.hash()).toBe(expected);
  });

  it('cases: peers 1: goes on with the same bits when one says of every step that sums of others are not finite', async () => {
    const { run, url } = await startRun();
    const node = new HostileNode(url);
    let assignment = await node.join(selfTest);
    void (async () => {
      for (;;) {
        const { step, generation, members } = assignment;
        const text = 'they hold NaN\u001b[31m.';
        for (const { node: other } of [...members, ...members]) {
          node.send({ type: 'fault', step, generation, node: other, code: 'LOCKSTEP_NODE_NOT_FINITE', text });
        }
        assignment = (await node.next('assign')).message;
      }
    })().catch(() => {});
    expect((await run.event('node-evicted'))['code']).toBe('LOCKSTEP_NODE_ORDER');
    expect(await run.hash()).toBe(expected);
    expect(await run.exit).toBe(0);
  });

  it('cases: peers 8: sends away who sent the largest part of sums that are not finite only when they are added', async () => {
    const { run, url } = await startRun(['--wait-for', '2']);
    fixture.worker(url, ['--name', 'honest']);
    const node = new HostileNode(url);
    const assignment = await node.join(selfTest);
    for (const range of canonicalPartials(rangeOf(assignment, node))) {
      const { step, generation } = assignment;
      const floats = new Float32Array(FLOATS).fill(3e38);
      node.send({ type: 'partial', step, generation, ...range, offset: 0 }, new Uint8Array(floats.buffer));
    }
    const evicted = await run.event('node-evicted');
    expect([evicted['node'], evicted['code']]).toEqual(['hostile', 'LOCKSTEP_NODE_CONTRIBUTION']);
    expect(await run.hash()).toBe(expected);
    expect(run.events.filter(({ event }) => event === 'node-evicted')).toHaveLength(1);
  });

  it('cases: peers 4: goes on without one that takes nothing in and still talks', async () => {
    // more in a step than systems keep for a connection
    const big = new Fixture(6000);
    try {
      const steps = 12;
      const layout = await planLayout(big);
      const test = await learnSelfTest(big);
      const run = big.listen(steps, ['--wait-for', '1']);
      const node = new HostileNode(await run.url());
      const first = await node.join(test);
      node.socket.pause();
      const times = { computeMs: 1, updateMs: 1, exchangeMs: 1, stepMs: 3 };
      // it knows what it is told without reading it: the next step has the next generation, and the same shards
      for (const ahead of [0, 1]) {
        const now = { step: first.step + ahead, generation: first.generation + ahead };
        for (const range of canonicalPartials(rangeOf(first, node))) {
          for (const { offset, length } of planBuckets(layout, [0])) {
            node.send({ type: 'partial', ...now, ...range, offset }, new Uint8Array(4 * length));
          }
        }
        node.send({ type: 'applied', ...now, ...times });
      }
      const alive = setInterval(() => node.send({ type: 'reachable', nodes: [] }), 100);
      expect((await run.event('node-evicted'))['code']).toBe('LOCKSTEP_NODE_STALLED');
      // its sums of the first step were zeros, and taken: without --audit nobody computes them twice
      expect((await run.event('end'))['steps']).toBe(steps);
      expect(await run.exit).toBe(0);
      clearInterval(alive);
    } finally {
      await big.remove();
    }
  });

  it('finds wrong sums by an audit', async () => {
    const { run, url } = await startRun(['--audit', '1']);
    const node = new HostileNode(url);
    contribute(node, await node.join(selfTest), () => {});
    expect((await run.event('node-evicted'))['code']).toBe('LOCKSTEP_NODE_AUDIT');
    expect(await run.hash()).toBe(expected);
  });

  it('cases: peers 5: without --audit, end event, report and exit code say which steps hold sums of one that lied', async () => {
    const out = path.join(fixture.folder, 'doubted');
    const { run, url } = await startRun(['--out', out]);
    const node = new HostileNode(url);
    let assignment = await node.join(selfTest);
    const first = assignment.step;
    void (async () => {
      for (;;) {
        const { step, generation } = assignment;
        const isLast = step === first + 4;
        contribute(node, assignment, (sum) => (sum.floats = new Float32Array(isLast ? 16 : FLOATS)));
        node.send({ type: 'applied', step, generation, computeMs: 0.5, updateMs: 0.25, exchangeMs: 0.5, stepMs: 1 });
        assignment = (await node.next('assign')).message;
      }
    })().catch(() => {});
    const doubted = { node: 'hostile', firstStep: 0, endStep: 4 };
    expect((await run.event('end'))['doubted']).toEqual([doubted]);
    expect(await run.exit).toBe(1);
    expect(run.events.filter(({ event }) => event === 'steps-doubted')).toEqual([
      { event: 'steps-doubted', ...doubted },
    ]);
    expect(run.stderr).toContain('warning: the result is in doubt: Steps 0 to 3 hold sums of hostile.');
    expect(readFileSync(path.join(out, 'report.html'), 'utf8')).toContain('Steps 0 to 3 hold sums of hostile');
  });

  it('evicts one that says nothing, when its time is over', async () => {
    const { run, url } = await startRun();
    await new HostileNode(url).join(selfTest);
    expect((await run.event('node-evicted'))['code']).toBe('LOCKSTEP_NODE_STALLED');
    expect(await run.hash()).toBe(expected);
  });
});

interface Contribution {
  message: Message;
  floats: Float32Array;
  spoil: (bytes: Buffer) => void;
}

/** The shards that a node is dealt. */
function rangeOf({ members }: Assignment, { id }: HostileNode): ShardRange {
  const member = members.find(({ node }) => node === id);
  if (!member) throw new Error('the hostile node got no shards');
  return member.range;
}

const FLOATS = (await planLayout(fixture)).length;

async function planLayout({ model }: Fixture): Promise<ContributionLayout> {
  const { inferLayers } = await import('../../packages/core/dist/model/index.js');
  const { loadModelSpec } = await import('../../packages/core/dist/zoo/index.js');
  const { planContribution } = await import('../../packages/core/dist/run/index.js');
  return planContribution(inferLayers(loadModelSpec(model).model));
}
