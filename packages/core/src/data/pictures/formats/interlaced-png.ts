/** Interlaced PNG files (Adam7) of 1, 2 or 4 bits a pixel, which fast-png 8 reads as if a pixel took a byte. */
import { crc32, inflateSync } from 'node:zlib';
import { countOf } from '../../../text/count-text.js';

/** Of each pass, its first column and row, and the steps between columns and rows. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

export interface PackedPng {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  /** One a pixel, row after row: the level of grey, or the place in the palette. */
  readonly values: Uint8Array;
  /** Bytes of the palette and of the transparency, as the file has them. */
  readonly palette?: Uint8Array | undefined;
  readonly transparency?: Uint8Array | undefined;
}

/** Whether a PNG file, whose header is there, is interlaced with less than 8 bits a pixel. */
export const isPackedInterlaced = (bytes: Uint8Array): boolean => (bytes[24] as number) < 8 && bytes[28] === 1;

/** @throws Error when the file is damaged */
export function decodeInterlaced(bytes: Uint8Array): PackedPng {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height, depth] = [view.getUint32(16), view.getUint32(20), bytes[24] as number];
  const chunks = readChunks(bytes, view);
  const passes = PASSES.map(([left, top, across, down]) => ({
    ...{ left, top, across, down },
    wide: Math.max(0, Math.ceil((width - left) / across)),
    tall: Math.max(0, Math.ceil((height - top) / down)),
  })).filter(({ wide, tall }) => wide > 0 && tall > 0);
  const bytesOf = (wide: number): number => Math.ceil((wide * depth) / 8);
  const size = passes.reduce((sum, { wide, tall }) => sum + tall * (1 + bytesOf(wide)), 0);
  const packed = inflateSync(Buffer.concat(chunks.data), { maxOutputLength: size });
  if (packed.length !== size) throw new Error(`it has ${countOf(packed.length, 'byte')} of pixels, expected ${size}`);
  const values = new Uint8Array(width * height);
  let at = 0;
  for (const { left, top, across, down, wide, tall } of passes) {
    let above = new Uint8Array(bytesOf(wide));
    for (let row = 0; row < tall; row++) {
      const line = unfilter(packed[at] as number, packed.subarray(at + 1, at + 1 + above.length), above);
      at += 1 + above.length;
      for (let x = 0; x < wide; x++) {
        const bit = x * depth;
        const value = ((line[bit >> 3] as number) >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
        values[(top + row * down) * width + left + x * across] = value;
      }
      above = line;
    }
  }
  return { width, height, depth, values, palette: chunks.palette, transparency: chunks.transparency };
}

function readChunks(bytes: Uint8Array, view: DataView) {
  const data: Uint8Array[] = [];
  let palette: Uint8Array | undefined;
  let transparency: Uint8Array | undefined;
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 8 + view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (end + 4 > bytes.length) break;
    if (crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end))
      throw new Error(`the CRC of ${type} does not match`);
    const body = bytes.subarray(at + 8, end);
    if (type === 'IEND') return { data, palette, transparency };
    if (type === 'IDAT') data.push(body);
    if (type === 'PLTE') palette = body;
    if (type === 'tRNS') transparency = body;
    at = end + 4;
  }
  throw new Error('it ends before its last chunk');
}

/** A line as it was before its filter (PNG, section 9); a pixel is within one byte. */
function unfilter(filter: number, filtered: Uint8Array, above: Uint8Array): Uint8Array<ArrayBuffer> {
  if (filter > 4) throw new Error(`there is no filter ${filter}`);
  const line = new Uint8Array(filtered.length);
  for (let i = 0; i < line.length; i++) {
    const [a, b, c] = [line[i - 1] ?? 0, above[i] as number, above[i - 1] ?? 0];
    const guess = [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter] as number;
    line[i] = (filtered[i] as number) + guess;
  }
  return line;
}

function paeth(a: number, b: number, c: number): number {
  const [toA, toB, toC] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  if (toA <= toB && toA <= toC) return a;
  return toB <= toC ? b : c;
}
