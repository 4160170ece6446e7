/**
 * How floats of a partial travel: float32, little-endian, as they stand; of what the recipe rounds to bf16 the upper halves
 * alone, two bytes each, in the same order. What is rounded starts and ends at multiples of 16 floats, so the form is a
 * function of layout and place, and every part of it starts at a multiple of 4 bytes.
 */

import { assert } from '../errors/errors.js';
import { countOf } from '../text/count-text.js';
import type { Span } from './contribution.js';
import { type RoundedPart, splitRounded } from './reduction.js';

/** A vector's bytes without a copy. Lockstep runs on little-endian machines only. */
export const bytesOf = (floats: Float32Array): Uint8Array =>
  new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);

/** How floats [offset, offset + length) of a partial travel. */
export class BucketForm {
  /** Bytes of the range on its way. */
  readonly bytes: number;
  /** Counted from the range's start. */
  readonly #parts: readonly RoundedPart[];

  /** @param rounded what of a partial the recipe rounds, in order; see `listRounded` */
  constructor(offset: number, length: number, rounded: readonly Span[]) {
    this.#parts = splitRounded(offset, length, rounded).map(({ begin, end, isRounded }) => ({
      begin: begin - offset,
      end: end - offset,
      isRounded,
    }));
    this.bytes = this.#parts.reduce((sum, part) => sum + bytesOfPart(part), 0);
  }

  /** The range as it travels: a view of the floats themselves where nothing is rounded, else a copy. */
  encode(floats: Float32Array): Uint8Array {
    if (!this.#parts.some(({ isRounded }) => isRounded)) return bytesOf(floats);
    const out = new Uint8Array(this.bytes);
    let at = 0;
    for (const part of this.#parts) {
      const from = floats.subarray(part.begin, part.end);
      if (part.isRounded) takeUpper(from, new Uint16Array(out.buffer, at, from.length));
      else out.set(bytesOf(from), at);
      at += bytesOfPart(part);
    }
    return out;
  }

  /** The way back: all bits of what was encoded. */
  decode(bytes: Uint8Array, floats: Float32Array): void {
    assert(bytes.length === this.bytes, () => `${countOf(bytes.length, 'byte')} for a range of ${this.bytes}`);
    let at = 0;
    for (const part of this.#parts) {
      const to = floats.subarray(part.begin, part.end);
      const from = bytes.subarray(at, at + bytesOfPart(part));
      if (part.isRounded) giveUpper(from, to);
      else bytesOf(to).set(from);
      at += from.length;
    }
  }
}

const bytesOfPart = ({ begin, end, isRounded }: RoundedPart): number => (isRounded ? 2 : 4) * (end - begin);

function takeUpper(floats: Float32Array, out: Uint16Array): void {
  const halves = new Uint16Array(floats.buffer, floats.byteOffset, 2 * floats.length);
  for (let i = 0; i < out.length; i++) out[i] = halves[2 * i + 1] as number;
}

/** @param bytes may start anywhere, and be a Buffer, whose slice() is no copy */
function giveUpper(bytes: Uint8Array, out: Float32Array): void {
  const isAligned = bytes.byteOffset % 2 === 0;
  const from = isAligned ? bytes : new Uint8Array(bytes);
  const halves = new Uint16Array(from.buffer, from.byteOffset, out.length);
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < words.length; i++) words[i] = (halves[i] as number) << 16;
}
