/** TIFF files: the first picture, of 1 to 16 bits, in strips or tiles, plain or packed by LZW, Deflate or PackBits. */
import { inflateSync } from 'node:zlib';
import { countOf } from '../../../text/count-text.js';
import { unpackLzw } from './lzw.js';
import { findOrientation, turnUpright } from './orientation.js';
import { viewOf } from './picture-limits.js';
import { type RawImage, toBytes } from './raw-image.js';
import { DEFLATES, LZW, PACK_BITS, PALETTE, readTiffHeader, type TiffHeader, WHITE_IS_ZERO } from './tiff-fields.js';

/** @throws Error when the file is damaged; UnreadKind */
export function decodeTiffImage(bytes: Uint8Array, white16: number): RawImage {
  const header = readTiffHeader(bytes);
  const picture = turnUpright(toImage(readValues(bytes, header), header, white16), findOrientation(viewOf(bytes, 8)));
  return { ...picture, ...(header.frames > 1 && { frames: header.frames }) };
}

/** [row][column][sample], as the file has them. */
function readValues(file: Uint8Array, header: TiffHeader): Uint8Array | Uint16Array {
  const { width, height, depth, samples, isApart, pieces } = header;
  const [across, down] = [Math.ceil(width / pieces.width), Math.ceil(height / pieces.height)];
  const planes = isApart ? samples : 1;
  if (pieces.offsets.length !== across * down * planes) {
    throw new Error(`it names ${pieces.offsets.length} of its ${across * down * planes} strips or tiles`);
  }
  const values = depth === 16 ? new Uint16Array(width * height * samples) : new Uint8Array(width * height * samples);
  pieces.offsets.forEach((offset, index) => {
    const plane = Math.floor(index / (across * down));
    const [row, column] = [Math.floor(index / across) % down, index % across];
    const [top, left] = [row * pieces.height, column * pieces.width];
    const tall = Math.min(pieces.height, height - top);
    const wide = Math.min(pieces.width, width - left);
    const own = isApart ? 1 : samples;
    const packed = file.subarray(offset, offset + (pieces.bytes[index] ?? file.length));
    const rows = readPiece(packed, pieces.isTiled ? pieces.height : tall, pieces.width * own, own, header);
    for (let y = 0; y < tall; y++) {
      const from = y * pieces.width * own;
      const to = ((top + y) * width + left) * samples + plane;
      if (isApart) for (let x = 0; x < wide; x++) values[to + x * samples] = rows[from + x] as number;
      else values.set(rows.subarray(from, from + wide * samples), to);
    }
  });
  return values;
}

/** The values of a piece: `tall` rows of `wide` values, which end with a whole byte. @param step values a pixel */
function readPiece(
  packed: Uint8Array,
  tall: number,
  wide: number,
  step: number,
  header: TiffHeader,
): Uint8Array | Uint16Array {
  const { depth, isLittle, isDifference } = header;
  const stride = Math.ceil((wide * depth) / 8);
  const bytes = unpack(packed, stride * tall, header);
  const values =
    depth === 8
      ? bytes.slice(0, wide * tall)
      : depth === 16
        ? widen(bytes, wide * tall, isLittle)
        : new Uint8Array(wide * tall);
  const top = 2 ** depth - 1;
  for (let y = 0; y < tall && depth < 8; y++) {
    for (let x = 0; x < wide; x++) {
      const bit = x * depth;
      values[y * wide + x] = ((bytes[y * stride + (bit >> 3)] as number) >> (8 - depth - (bit & 7))) & top;
    }
  }
  for (let y = 0; y < tall && isDifference; y++) {
    const end = (y + 1) * wide;
    for (let i = y * wide + step; i < end; i++)
      values[i] = ((values[i] as number) + (values[i - step] as number)) & top;
  }
  return values;
}

function widen(bytes: Uint8Array, count: number, isLittle: boolean): Uint16Array {
  const values = new Uint16Array(count);
  const high = isLittle ? 1 : 0;
  for (let i = 0; i < count; i++)
    values[i] = ((bytes[2 * i + high] as number) << 8) | (bytes[2 * i + 1 - high] as number);
  return values;
}

function unpack(packed: Uint8Array, length: number, { compression }: TiffHeader): Uint8Array {
  let bytes = packed;
  if (compression === LZW) bytes = unpackLzw(packed, length, { bits: 8, isHighFirst: true, early: 1 });
  if (DEFLATES.includes(compression)) bytes = inflateSync(packed, { maxOutputLength: length });
  if (compression === PACK_BITS) bytes = unpackPackBits(packed, length);
  if (bytes.length < length) throw new Error('it ends before its last row');
  return bytes;
}

/** A byte n, then n + 1 bytes as they are, or one byte 257 - n times; 128 says nothing. */
function unpackPackBits(packed: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let to = 0;
  for (let at = 0; to < length; ) {
    const n = packed[at++] ?? 128;
    const [count, taken] = n < 128 ? [n + 1, n + 1] : n > 128 ? [257 - n, 1] : [0, 0];
    if (at + taken > packed.length) throw new Error('it ends before its last row');
    if (n < 128) bytes.set(packed.subarray(at, at + Math.min(count, length - to)), to);
    else bytes.fill(packed[at] as number, to, to + count);
    at += taken;
    to += count;
  }
  return bytes;
}

function toImage(values: Uint8Array | Uint16Array, header: TiffHeader, white16: number): RawImage {
  const { width, height, depth, samples, colourSamples, colours, alpha } = header;
  if (colours === PALETTE) return lookUp(values, header);
  const channels = alpha === 'none' ? colourSamples : colourSamples + 1;
  const top = 2 ** depth - 1;
  const data = channels === samples ? values : keepFirst(values, samples, channels);
  if (colours === WHITE_IS_ZERO) {
    for (let i = 0; i < data.length; i++) if (i % channels === 0) data[i] = top - (data[i] as number);
  }
  if (alpha === 'multiplied') divideByAlpha(data, channels, top);
  if (depth === 16) return toBytes({ width, height, channels, data }, white16);
  const pixels = new Uint8Array(data);
  if (depth < 8) for (let i = 0; i < pixels.length; i++) pixels[i] = ((pixels[i] as number) * 255) / top;
  return { width, height, channels, pixels };
}

/** Of each pixel its first values. */
function keepFirst(values: Uint8Array | Uint16Array, samples: number, kept: number): Uint8Array | Uint16Array {
  const count = (values.length / samples) * kept;
  const data = values instanceof Uint16Array ? new Uint16Array(count) : new Uint8Array(count);
  for (let from = 0, to = 0; from < values.length; from += samples) {
    for (let c = 0; c < kept; c++) data[to++] = values[from + c] as number;
  }
  return data;
}

function divideByAlpha(data: Uint8Array | Uint16Array, channels: number, top: number): void {
  for (let at = 0; at < data.length; at += channels) {
    const alpha = data[at + channels - 1] as number;
    if (alpha === 0) continue;
    for (let i = at; i < at + channels - 1; i++)
      data[i] = Math.min(top, Math.floor(((data[i] as number) * top) / alpha));
  }
}

function lookUp(values: Uint8Array | Uint16Array, { width, height, depth, palette }: TiffHeader): RawImage {
  const count = 2 ** depth;
  if (palette.length !== 3 * count) {
    throw new Error(`its palette has ${countOf(palette.length, 'value')}, expected ${3 * count}`);
  }
  const pixels = new Uint8Array(3 * values.length);
  for (let i = 0; i < values.length; i++) {
    for (let c = 0; c < 3; c++) pixels[3 * i + c] = (palette[c * count + (values[i] as number)] as number) >> 8;
  }
  return { width, height, channels: 3, pixels };
}
