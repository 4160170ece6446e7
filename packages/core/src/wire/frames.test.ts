import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LockstepError } from '../errors/errors.js';
import { decodeFrame, encodeHeader, FrameSeal } from './frames.js';
import type { Message } from './messages.js';

const KEY = Buffer.from('a key for the tests');
const HASH = 'ab'.repeat(32);

/** One of each kind that carries numbers, text, lists or bytes. */
const recorded: readonly (readonly [Message, Uint8Array])[] = [
  [{ type: 'challenge', protocol: 3, version: '0.1.0', nonce: HASH }, new Uint8Array(0)],
  [{ type: 'state', step: 7, offset: 0, total: 8 }, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)],
  [
    {
      type: 'assign',
      step: 3,
      generation: 1_790_000_000,
      members: [{ node: 0, range: { begin: 0, end: 4 } }],
      owners: [0],
      replicas: [0, 1],
      groups: [],
      withHash: false,
    },
    new Uint8Array(0),
  ],
  [{ type: 'partial', step: 3, generation: 5, begin: 0, end: 4, offset: 16 }, new Uint8Array(64)],
  // cases: peers 26: begun in the year 2106, when the seconds outgrow 32 bits
  [{ type: 'reduced', step: 3, generation: 4_300_000_000, offset: 16 }, new Uint8Array(64)],
  [
    { type: 'applied', step: 3, generation: 5, computeMs: 1, updateMs: 0.25, exchangeMs: 1.5, stepMs: 1.5, hash: HASH },
    new Uint8Array(0),
  ],
];

const encode = (message: Message, payload: Uint8Array, seal?: FrameSeal): Buffer =>
  Buffer.concat([encodeHeader(message, payload, seal), payload]);

describe('a frame', () => {
  it.each(recorded)('comes out as it went in: %o', (message, payload) => {
    const frame = decodeFrame([encode(message, payload)], undefined);
    expect(frame.message).toEqual(message);
    expect(Buffer.from(frame.payload)).toEqual(Buffer.from(payload));
  });

  it('is read without a copy when header and payload come apart', () => {
    const [message, payload] = recorded[1] as (typeof recorded)[number];
    const body = Buffer.from(payload);
    const frame = decodeFrame([encodeHeader(message, payload, undefined), body], undefined);
    expect(frame.payload).toBe(body);
  });

  it('is the same however its bytes were cut', () => {
    const [message, payload] = recorded[3] as (typeof recorded)[number];
    const bytes = encode(message, payload);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 6 }), (cuts) => {
        const ends = [...cuts.sort((a, b) => a - b), bytes.length];
        const parts = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
        expect(decodeFrame(parts, undefined).message).toEqual(message);
      }),
    );
  });
});

describe('a seal', () => {
  const [message, payload] = recorded[3] as (typeof recorded)[number];

  it('cases: peers 6: lays any flipped bit on the link, of the length of the header too', () => {
    const bytes = encode(message, payload, new FrameSeal(KEY, 'caller'));
    fc.assert(
      fc.property(fc.nat(8 * bytes.length - 1), (bit) => {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(() => decodeFrame([changed], new FrameSeal(KEY, 'caller'))).toThrow('LOCKSTEP_NODE_SEAL: ');
      }),
    );
  });

  it.each([
    ['a frame that comes twice', [0, 0], 'caller'],
    ['a frame that is left out', [1], 'caller'],
    ['a frame that is sent back to its sender', [0], 'listener'],
  ] as const)('notices %s', (_, order, direction) => {
    const sealing = new FrameSeal(KEY, 'caller');
    const sent = [encode(message, payload, sealing), encode(message, payload, sealing)];
    const opening = new FrameSeal(KEY, direction);
    expect(() => {
      for (const index of order) decodeFrame([sent[index] as Buffer], opening);
    }).toThrow('LOCKSTEP_NODE_SEAL: the seal of a frame is wrong: it was changed on the way');
  });
});

describe('the decoder', () => {
  /** What is not a frame is refused with a code: nothing else may come out of it. */
  function expectRefusedOrRead(bytes: Buffer): void {
    try {
      const { message } = decodeFrame([bytes], undefined);
      expect(Object.getPrototypeOf(message)).toBe(Object.prototype);
    } catch (error) {
      expect(error).toBeInstanceOf(LockstepError);
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  }

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => expectRefusedOrRead(Buffer.from(bytes))),
      { numRuns: 2000 },
    );
  });

  it('survives any header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (header) => {
        const prefix = Buffer.alloc(20);
        prefix.writeUInt32LE(header.length, 16);
        expectRefusedOrRead(Buffer.concat([prefix, header]));
      }),
      { numRuns: 2000 },
    );
  });

  it('survives recorded frames with bytes changed, cut off and put in', () => {
    const frames = recorded.map(([message, payload]) => encode(message, payload));
    const change = fc.record({ at: fc.nat(400), drop: fc.nat(8), put: fc.uint8Array({ maxLength: 8 }) });
    fc.assert(
      fc.property(fc.constantFrom(...frames), fc.array(change, { minLength: 1, maxLength: 4 }), (frame, changes) => {
        let bytes = Buffer.from(frame);
        for (const { at, drop, put } of changes) {
          const from = at % (bytes.length + 1);
          bytes = Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + drop)]);
        }
        expectRefusedOrRead(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  it('survives deep nesting', () => {
    const header = Buffer.alloc(60_000, 0x91);
    const prefix = Buffer.alloc(20);
    prefix.writeUInt32LE(header.length, 16);
    expectRefusedOrRead(Buffer.concat([prefix, header]));
  });

  it('names the field that is wrong', () => {
    const bytes = encode({ type: 'partial', step: -1, generation: 0, begin: 0, end: 1, offset: 0 }, new Uint8Array(0));
    expect(() => decodeFrame([bytes], undefined)).toThrow(
      'LOCKSTEP_NODE_MESSAGE: a message does not have its form at step',
    );
  });
});
