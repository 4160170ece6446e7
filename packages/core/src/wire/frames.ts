/**
 * How a message travels, as one binary WebSocket message:
 *
 *   seal (16 bytes) | bytes of the header (uint32, little-endian) | header: the message in MessagePack | payload: raw bytes
 *
 * The seal (seal.ts) is a tag over the rest, whose one-time key comes from the number of frames so far in this direction, so that a flipped bit, a frame left out and a frame put in are
 * all noticed. Before the handshake has made a key it is zero.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { Packr, Unpackr } from 'msgpackr';
import { LockstepError } from '../errors/errors.js';
import { BUCKET_FLOATS } from '../run/buckets.js';
import { countOf } from '../text/count-text.js';
import { type Message, parseMessage } from './messages.js';
import { chooseSeal, SEAL_BYTES, type Seal } from './seal.js';

/** Bytes of a payload at most. */
export const MAX_PAYLOAD_BYTES = 4 * BUCKET_FLOATS;
/** Bytes of a piece of what is sent whole, the dataset or a state: over a slow link too one comes every few seconds. */
export const PIECE_BYTES = 65_536;
const MAX_HEADER_BYTES = 65_536;
const PREFIX_BYTES = SEAL_BYTES + 4;
/** Bytes of a frame at most. */
export const MAX_FRAME_BYTES = PREFIX_BYTES + MAX_HEADER_BYTES + MAX_PAYLOAD_BYTES;
/** Bytes of a frame before the handshake is over. */
export const MAX_GREETING_BYTES = 4096;

// Plain maps only: no records, no references, nothing that a peer could define.
const packr = new Packr({ useRecords: false, moreTypes: false, encodeUndefinedAsNil: false });
const unpackr = new Unpackr({ useRecords: false, moreTypes: false, mapsAsObjects: true, int64AsType: 'number' });

export interface Frame {
  readonly message: Message;
  /** A view of the frame; empty when there is none. */
  readonly payload: Uint8Array;
}

let seal: Seal | undefined;

/** Seals the frames of one direction of a connection, or checks their seals. */
export class FrameSeal {
  readonly #key: Uint8Array;
  /** Frames so far: a key seals no two frames under the same nonce. */
  readonly #nonce = Buffer.alloc(12);
  #count = 0;

  /**
   * @param key of this connection alone
   * @param direction who sends: `listener` or `caller`
   */
  constructor(key: Uint8Array, direction: 'listener' | 'caller') {
    this.#key = createHmac('sha256', key).update(direction).digest();
  }

  next(...parts: readonly Uint8Array[]): Buffer {
    this.#nonce.writeUIntLE(this.#count++, 0, 6);
    seal ??= chooseSeal();
    return seal(this.#key, this.#nonce, parts);
  }
}

/** Everything of a frame but its payload, which is sent after it, as it is. */
export function encodeHeader(message: Message, payload: Uint8Array, seal: FrameSeal | undefined): Buffer {
  const header = packr.pack(message) as Buffer;
  const bytes = Buffer.alloc(PREFIX_BYTES + header.length);
  bytes.writeUInt32LE(header.length, SEAL_BYTES);
  bytes.set(header, PREFIX_BYTES);
  seal?.next(bytes.subarray(SEAL_BYTES), payload).copy(bytes);
  return bytes;
}

/**
 * Reads a frame.
 *
 * @param parts the frame's bytes, cut anywhere
 * @throws LockstepError LOCKSTEP_NODE_SEAL when it was changed on the way, which is not its sender's fault;
 *   LOCKSTEP_NODE_FRAME when it is none, LOCKSTEP_NODE_MESSAGE when the message is not in form
 */
export function decodeFrame(parts: readonly Buffer[], seal: FrameSeal | undefined): Frame {
  const [first, second] = splitParts(parts);
  // before anything of it is believed, the length of its header too
  if (seal) checkSeal(seal, first, second);
  const headerBytes = first.length >= PREFIX_BYTES ? first.readUInt32LE(SEAL_BYTES) : -1;
  if (headerBytes < 0 || headerBytes > MAX_HEADER_BYTES || PREFIX_BYTES + headerBytes > first.length + second.length) {
    throw frameError(`it has ${countOf(first.length + second.length, 'byte')} and claims a header of ${headerBytes}`);
  }
  const bytes = PREFIX_BYTES + headerBytes === first.length ? first : Buffer.concat([first, second]);
  const payload = bytes === first ? second : bytes.subarray(PREFIX_BYTES + headerBytes);
  if (payload.length > MAX_PAYLOAD_BYTES) throw frameError(`its payload has ${countOf(payload.length, 'byte')}`);
  return { message: parseMessage(unpackHeader(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + headerBytes))), payload };
}

function checkSeal(seal: FrameSeal, first: Buffer, second: Buffer): void {
  const isWhole = first.length >= SEAL_BYTES;
  if (isWhole && timingSafeEqual(seal.next(first.subarray(SEAL_BYTES), second), first.subarray(0, SEAL_BYTES))) return;
  throw new LockstepError(
    'LOCKSTEP_NODE_SEAL',
    'the seal of a frame is wrong: it was changed on the way, or is not from the node that shook hands.',
  );
}

/** The header as it was sent, alone, and the rest. */
function splitParts(parts: readonly Buffer[]): [Buffer, Buffer] {
  const [first, second] = parts;
  if (first && second && parts.length === 2 && first.length >= PREFIX_BYTES) return [first, second];
  return [parts.length === 1 && first ? first : Buffer.concat(parts), Buffer.alloc(0)];
}

function unpackHeader(bytes: Buffer): unknown {
  try {
    return unpackr.unpack(bytes);
  } catch (error) {
    throw frameError(
      `its header is not MessagePack (${error instanceof Error ? error.message.slice(0, 100) : 'unreadable'})`,
    );
  }
}

const frameError = (text: string): LockstepError =>
  new LockstepError(
    'LOCKSTEP_NODE_FRAME',
    `a frame cannot be read: ${text}. Is that a Lockstep node of the same release?`,
  );
