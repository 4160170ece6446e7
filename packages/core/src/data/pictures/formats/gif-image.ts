/** GIF files: the first picture, on the file's whole canvas. */
import { unpackLzw } from './lzw.js';
import { checkSize, viewOf } from './picture-limits.js';
import type { RawImage } from './raw-image.js';

const HEADER = 13;
const EXTENSION = 0x21;
const CONTROL = 0xf9;
const PICTURE = 0x2c;
const END = 0x3b;
/** Of an interlaced picture, the first row of each pass and the step to the next. */
const PASSES = [
  [0, 8],
  [4, 8],
  [2, 4],
  [1, 2],
] as const;

interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly isInterlaced: boolean;
  /** Red, green and blue of each colour. */
  readonly palette: Uint8Array;
  /** The place in the palette that lets the ground show through. */
  readonly clear: number | undefined;
  /** Bits of a colour, and the packed places in the palette. */
  readonly bits: number;
  readonly packed: Uint8Array;
}

/** @throws Error when the file is damaged */
export function decodeGifImage(bytes: Uint8Array): RawImage {
  const view = viewOf(bytes, HEADER);
  const { frame, frames } = readFrames(bytes);
  const { left, top, clear, palette } = frame;
  const [width, height] = [
    Math.max(view.getUint16(6, true), left + frame.width),
    Math.max(view.getUint16(8, true), top + frame.height),
  ];
  checkSize(width, height);
  checkSize(frame.width, frame.height);
  if (frame.bits < 1 || frame.bits > 8) throw new Error(`its colours have ${frame.bits} bits`);
  const packing = { bits: frame.bits, isHighFirst: false, early: 0 } as const;
  const indexes = inRows(unpackLzw(frame.packed, frame.width * frame.height, packing), frame);
  const isWhole = frame.width === width && frame.height === height;
  const channels = clear !== undefined || !isWhole ? 4 : 3;
  const pixels = new Uint8Array(width * height * channels);
  for (let i = 0; i < indexes.length; i++) {
    const index = indexes[i] as number;
    if (3 * index + 3 > palette.length) throw new Error(`colour ${index} is not in its palette`);
    const to = ((top + Math.floor(i / frame.width)) * width + left + (i % frame.width)) * channels;
    for (let c = 0; c < 3; c++) pixels[to + c] = palette[3 * index + c] as number;
    if (channels === 4) pixels[to + 3] = index === clear ? 0 : 255;
  }
  return { width, height, channels, pixels, ...(frames > 1 && { frames }) };
}

/** Walks through the blocks: the first picture, and how many there are. */
function readFrames(bytes: Uint8Array): { frame: Frame; frames: number } {
  let at = HEADER;
  const byte = (): number => {
    if (at >= bytes.length) throw new Error('it ends before its last block');
    return bytes[at++] as number;
  };
  const word = (): number => byte() | (byte() << 8);
  const takePalette = (flags: number): Uint8Array => {
    const from = at;
    if ((flags & 0x80) !== 0) at += 3 * 2 ** ((flags & 7) + 1);
    return bytes.subarray(from, at);
  };
  /** Blocks of a length and so many bytes, up to one of none. */
  const takeBlocks = (): Uint8Array[] => {
    const blocks: Uint8Array[] = [];
    for (let length = byte(); length > 0; length = byte()) {
      blocks.push(bytes.subarray(at, at + length));
      at += length;
    }
    return blocks;
  };
  const common = takePalette(bytes[10] as number);
  let [frame, clear, frames]: [Frame | undefined, number | undefined, number] = [undefined, undefined, 0];
  for (;;) {
    // what is missing behind the first picture is no loss
    const kind = frame !== undefined && at >= bytes.length ? END : byte();
    if (kind === END) break;
    if (kind === EXTENSION) {
      const isControl = byte() === CONTROL;
      const [control] = takeBlocks();
      if (isControl && control !== undefined) clear = ((control[0] as number) & 1) === 1 ? control[3] : undefined;
    } else if (kind === PICTURE) {
      const [left, top, width, height, flags] = [word(), word(), word(), word(), byte()];
      const own = takePalette(flags);
      const [bits, blocks] = [byte(), takeBlocks()];
      const palette = own.length > 0 ? own : common;
      const isInterlaced = (flags & 0x40) !== 0;
      frames++;
      frame ??= { left, top, width, height, isInterlaced, palette, clear, bits, packed: Buffer.concat(blocks) };
    } else throw new Error(`there is no block ${kind}`);
  }
  if (frame === undefined) throw new Error('there is no picture in it');
  return { frame, frames };
}

function inRows(indexes: Uint8Array, { width, height, isInterlaced }: Frame): Uint8Array {
  if (!isInterlaced) return indexes;
  const rows = new Uint8Array(indexes.length);
  let from = 0;
  for (const [first, step] of PASSES) {
    for (let y = first; y < height; y += step, from += width) rows.set(indexes.subarray(from, from + width), y * width);
  }
  return rows;
}
