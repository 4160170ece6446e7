/** Frames that are not what anybody would say: recorded or made ones, changed in their fields, their floats or their bytes. */
import { encodeHeader, type Message } from '@lockstep/core/wire';
import type { Draws } from '../../world/draws.js';

export interface Spoken {
  readonly message: Message;
  readonly payload: Uint8Array;
}

/** Of the seal, which whoever sends it writes. */
const SEAL_BYTES = 16;
const ODD: readonly unknown[] = [
  ...[-1, 0, 1, 0.5, 0xffff_ffff, 2 ** 32, 2 ** 53, 1e308, Number.NaN, Number.POSITIVE_INFINITY],
  ...['', 'x'.repeat(5000), '\u001b[2J\n', 'ws://10.0.0.1:7400', 'LOCKSTEP_NODE_AUDIT', '__proto__'],
  ...[null, true, [], {}, [[]], { begin: 5, end: 1 }, new Array(1500).fill(1), [-1, 1, 1]],
];
const MOST_CHANGES = 3;

/** All bytes of a frame; its seal is zero. */
export function damageFrame({ message, payload }: Spoken, draws: Draws): Buffer {
  const isInForm = draws.chance(0.6);
  let fields: unknown = message;
  if (isInForm) for (let left = draws.below(MOST_CHANGES); left > 0; left--) fields = changeField(fields, draws, 0);
  const floats = draws.chance(0.3) ? spoil(payload, draws) : payload;
  // a message that is in no form any more travels like any other
  const bytes = Buffer.concat([encodeHeader(fields as Message, floats, undefined), floats]);
  return isInForm ? bytes : changeBytes(bytes, draws);
}

/** Another value at some place of a message: odd, that of a neighbour, none, or one more. */
function changeField(value: unknown, draws: Draws, depth: number): unknown {
  if (typeof value !== 'object' || value === null || draws.chance(0.1)) return draws.pick(ODD);
  const names = Object.keys(value);
  if (names.length === 0) return draws.pick(ODD);
  const name = draws.pick(names);
  const old = (value as Record<string, unknown>)[name];
  const copy: Record<string, unknown> = { ...value };
  const kind = draws.below(10);
  const isNear = typeof old === 'number' && draws.chance(0.6);
  if (kind === 0) delete copy[name];
  else if (kind === 1) copy[draws.pick(['extra', 'type', 'generation', 'constructor'])] = draws.pick(ODD);
  else if (isNear) copy[name] = Math.max(0, old + draws.pick([-1, 1, 2, 16, 1000]));
  else copy[name] = changeField(old, draws, depth + 1);
  return Array.isArray(value) ? Object.values(copy) : copy;
}

function spoil(payload: Uint8Array, draws: Draws): Uint8Array {
  if (draws.chance(0.3)) return payload.subarray(0, draws.below(payload.length + 1));
  if (draws.chance(0.3)) return Buffer.concat([payload, payload.subarray(0, 64)]);
  const bytes = Uint8Array.from(payload);
  const floats = new Float32Array(bytes.buffer, 0, bytes.length >> 2);
  if (floats.length > 0)
    floats[draws.below(floats.length)] = draws.pick([Number.NaN, Number.POSITIVE_INFINITY, 3e38, 1]);
  return bytes;
}

/** Behind the seal. */
function changeBytes(frame: Buffer, draws: Draws): Buffer {
  const bytes = Buffer.from(frame);
  const at = SEAL_BYTES + draws.below(Math.max(1, Math.min(bytes.length - SEAL_BYTES, draws.pick([8, 64, 1e9]))));
  switch (draws.below(6)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(SEAL_BYTES)]);
    case 2:
      // the length of its header, as it is said to be
      bytes.writeUInt32LE(draws.pick([0, 1, 255, 65_536, 0xffff_ffff]), SEAL_BYTES);
      return bytes;
    case 3:
      // lists and maps that are said to hold more than there is, and many inside each other
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.alloc(draws.pick([1, 50, 3000]), draws.pick([0xdd, 0xdf, 0x91, 0x81])),
      ]);
    case 4:
      return Buffer.from(Array.from({ length: draws.below(200) }, () => draws.below(256)));
    default:
      for (let left = 1 + draws.below(4); left > 0; left--) {
        const place = SEAL_BYTES + draws.below(bytes.length - SEAL_BYTES);
        bytes[place] = (bytes[place] as number) ^ (1 << draws.below(8));
      }
      return bytes;
  }
}
