/** LZW, as GIF and TIFF files have it: codes that stand for longer and longer runs of bytes. */

const MAX_BITS = 12;
const MAX_CODES = 2 ** MAX_BITS;

/** How a format writes the codes. */
export interface LzwForm {
  /** Of a byte's values, the codes that stand for themselves. */
  readonly bits: number;
  /** Whether a code's highest bit comes first, as in TIFF. */
  readonly isHighFirst: boolean;
  /** How many codes before its width is full a code gets wider: 1 in TIFF. */
  readonly early: 0 | 1;
}

/** @param length bytes to unpack; what comes after them is not looked at. @throws Error when there are fewer, or a code is unknown */
export function unpackLzw(packed: Uint8Array, length: number, { bits, isHighFirst, early }: LzwForm): Uint8Array {
  const bytes = new Uint8Array(length);
  const [clear, end] = [2 ** bits, 2 ** bits + 1];
  // of each code, the code for all but its last byte, that byte, and how many there are
  const [before, last, lengths] = [new Uint16Array(MAX_CODES), new Uint8Array(MAX_CODES), new Uint16Array(MAX_CODES)];
  for (let code = 0; code < clear; code++) [last[code], lengths[code]] = [code, 1];
  let [codeBits, count, previous, to, bit] = [bits + 1, end + 1, -1, 0, 0];
  while (to < length) {
    const code = isHighFirst ? highFirst(packed, bit, codeBits) : lowFirst(packed, bit, codeBits);
    bit += codeBits;
    if (bit > 8 * packed.length || code === end) throw new Error('it ends before its last pixel');
    if (code === clear) {
      [codeBits, count, previous] = [bits + 1, end + 1, -1];
      continue;
    }
    // a code may be the one that it makes itself: the run before, and that run's first byte again
    const isNew = code === count && previous >= 0 && count < MAX_CODES;
    if (code >= count && !isNew) throw new Error(`there is no code ${code} yet`);
    const known = isNew ? previous : code;
    const knownLength = lengths[known] as number;
    let walked = known;
    for (let i = to + knownLength - 1; i >= to; i--) {
      if (i < length) bytes[i] = last[walked] as number;
      walked = before[walked] as number;
    }
    const first = bytes[to] as number;
    to += knownLength;
    if (isNew && to < length) bytes[to] = first;
    if (isNew) to++;
    if (previous >= 0 && count < MAX_CODES) {
      before[count] = previous;
      last[count] = first;
      lengths[count] = (lengths[previous] as number) + 1;
      count++;
      if (count === 2 ** codeBits - early && codeBits < MAX_BITS) codeBits++;
    }
    previous = code;
  }
  return bytes;
}

/** Three bytes hold every code of up to 12 bits. */
const lowFirst = (bytes: Uint8Array, bit: number, codeBits: number): number => {
  const at = bit >> 3;
  const three = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
  return (three >> (bit & 7)) & (2 ** codeBits - 1);
};

const highFirst = (bytes: Uint8Array, bit: number, codeBits: number): number => {
  const at = bit >> 3;
  const three = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
  return (three >> (24 - codeBits - (bit & 7))) & (2 ** codeBits - 1);
};
