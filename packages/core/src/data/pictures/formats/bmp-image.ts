/** BMP files: 1, 4, 8, 16, 24 and 32 bits a pixel, plain, with masks, or packed in runs (RLE). */
import { checkSize, UnreadKind, viewOf } from './picture-limits.js';
import type { RawImage } from './raw-image.js';

/** Bytes before the second header, whose length is its first word. */
const FILE_HEADER = 14;
/** Windows 3, and later ones with more fields behind; OS/2's has 12 bytes. */
const HEADERS = [40, 52, 56, 108, 124];
const OS2_HEADER = 12;
const PLAIN = 0;
const RLE8 = 1;
const RLE4 = 2;
const MASKS = 3;
const ALPHA_MASKS = 6;
const COMPRESSIONS: Readonly<Record<number, string>> = { 4: 'JPEG', 5: 'PNG' };

interface Header {
  readonly width: number;
  readonly height: number;
  /** Whether the first row of the file is the picture's last, as is usual. */
  readonly isFromBottom: boolean;
  readonly depth: number;
  readonly compression: number;
  /** Where the palette begins, the bytes of each of its colours, and how many it has. */
  readonly palette: { readonly at: number; readonly step: 3 | 4; readonly count: number };
  /** Where the pixels begin. */
  readonly data: number;
}

/** @throws Error when the file is damaged; UnreadKind */
export function decodeBmpImage(bytes: Uint8Array): RawImage {
  const view = viewOf(bytes, FILE_HEADER + OS2_HEADER);
  const header = readHeader(view);
  const { width, height, depth, compression } = header;
  checkSize(width, height);
  if (depth > 8) return readColours(view, header);
  const isPacked = compression === RLE8 || compression === RLE4;
  const indexes = isPacked ? unpackRuns(bytes, header) : unpackBits(bytes, header);
  return { width, height, channels: 3, pixels: lookUp(bytes, header, indexes) };
}

function readHeader(view: DataView): Header {
  const size = view.getUint32(FILE_HEADER, true);
  const data = view.getUint32(10, true);
  if (size === OS2_HEADER) {
    const [width, height, depth] = [view.getUint16(18, true), view.getUint16(20, true), view.getUint16(24, true)];
    const palette = { at: FILE_HEADER + size, step: 3, count: 2 ** depth } as const;
    return checkDepth({ width, height, isFromBottom: true, depth, compression: PLAIN, palette, data });
  }
  if (!HEADERS.includes(size)) throw new UnreadKind(`is a BMP image with a header of ${size} bytes`);
  if (view.byteLength < FILE_HEADER + size) throw new Error('it ends inside its header');
  const [width, height, depth] = [view.getInt32(18, true), view.getInt32(22, true), view.getUint16(28, true)];
  const [compression, named] = [view.getUint32(30, true), view.getUint32(46, true)];
  const masks = size > 40 ? 0 : compression === MASKS ? 12 : compression === ALPHA_MASKS ? 16 : 0;
  const count = named === 0 ? 2 ** depth : named;
  const palette = { at: FILE_HEADER + size + masks, step: 4, count } as const;
  const whole = { width: Math.abs(width), height: Math.abs(height), isFromBottom: height > 0 };
  return checkDepth({ ...whole, depth, compression, palette, data });
}

function checkDepth(header: Header): Header {
  const { depth, compression } = header;
  const fitting: Readonly<Record<number, readonly number[]>> = {
    [PLAIN]: [1, 4, 8, 16, 24, 32],
    [RLE8]: [8],
    [RLE4]: [4],
    [MASKS]: [16, 32],
    [ALPHA_MASKS]: [16, 32],
  };
  if (fitting[compression]?.includes(depth)) return header;
  const name = COMPRESSIONS[compression] ?? compression;
  throw new UnreadKind(`is a BMP image of ${depth} bits with the compression ${name}`);
}

/** The row of the picture that stands at a place in the file. */
const rowAt = ({ height, isFromBottom }: Header, y: number): number => (isFromBottom ? height - 1 - y : y);

/** Rows end at a multiple of four bytes. @throws Error when the file ends before its last row */
function strideOf({ width, height, depth, data }: Header, fileBytes: number): number {
  const stride = Math.ceil((width * depth) / 32) * 4;
  if (data + stride * (height - 1) + Math.ceil((width * depth) / 8) > fileBytes) {
    throw new Error('it ends before its last row');
  }
  return stride;
}

function unpackBits(bytes: Uint8Array, header: Header): Uint8Array {
  const { width, height, depth, data } = header;
  const stride = strideOf(header, bytes.length);
  const indexes = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const [from, to] = [data + y * stride, rowAt(header, y) * width];
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      indexes[to + x] = ((bytes[from + (bit >> 3)] as number) >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
    }
  }
  return indexes;
}

/**
 * Pairs of bytes: a run's length and its colour (of RLE4 two that take turns), or 0 and what follows: 0 ends a row, 1 the
 * picture, 2 skips columns and rows, more is a number of pixels one by one, up to an even byte. What is skipped is colour 0.
 */
function unpackRuns(bytes: Uint8Array, header: Header): Uint8Array {
  const { width, height, depth, data } = header;
  const indexes = new Uint8Array(width * height);
  let [at, x, y] = [data, 0, 0];
  const next = (): number => {
    if (at >= bytes.length) throw new Error('it ends before its last row');
    return bytes[at++] as number;
  };
  const put = (colour: number): void => {
    if (x >= width || y >= height) throw new Error('a run goes beyond the picture');
    indexes[rowAt(header, y) * width + x++] = colour;
  };
  const colourOf = (byte: number, i: number): number => (depth === 8 ? byte : i % 2 === 0 ? byte >> 4 : byte & 15);
  for (;;) {
    const [count, value] = [next(), next()];
    if (count > 0) for (let i = 0; i < count; i++) put(colourOf(value, i));
    else if (value === 0) [x, y] = [0, y + 1];
    else if (value === 1) return indexes;
    else if (value === 2) [x, y] = [x + next(), y + next()];
    else {
      const end = at + 2 * Math.ceil((value * depth) / 16);
      let byte = 0;
      for (let i = 0; i < value; i++) {
        if (depth === 8 || i % 2 === 0) byte = next();
        put(colourOf(byte, i));
      }
      at = end;
    }
  }
}

/** Colours of a palette: blue, green, red, and in some files one byte more. */
function lookUp(bytes: Uint8Array, { palette }: Header, indexes: Uint8Array): Uint8Array {
  const { at, step, count } = palette;
  const pixels = new Uint8Array(3 * indexes.length);
  for (let i = 0; i < indexes.length; i++) {
    const index = indexes[i] as number;
    const from = at + index * step;
    if (index >= count || from + 3 > bytes.length) throw new Error(`colour ${index} is not in its palette`);
    for (let c = 0; c < 3; c++) pixels[3 * i + c] = bytes[from + 2 - c] as number;
  }
  return pixels;
}

/** Bits of red, green, blue and, where the file names them, alpha. */
function masksOf(view: DataView, { depth, compression, palette }: Header): readonly number[] {
  if (depth === 24 || (depth === 32 && compression === PLAIN)) return [0xff0000, 0xff00, 0xff];
  if (compression === PLAIN) return [0x7c00, 0x3e0, 0x1f];
  const end = palette.at;
  const hasAlpha = end >= FILE_HEADER + 56;
  const masks = [54, 58, 62, ...(hasAlpha ? [66] : [])].map((at) => view.getUint32(at, true));
  return masks[3] === 0 ? masks.slice(0, 3) : masks;
}

/** Values of less than 8 bits are spread over 0 to 255, rounded down, as Pillow does. */
function readColours(view: DataView, header: Header): RawImage {
  const { width, height, depth, data } = header;
  const stride = strideOf(header, view.byteLength);
  const fields = masksOf(view, header).map((mask) => {
    const shift = 31 - Math.clz32(mask & -mask);
    const top = mask >>> shift;
    if (mask === 0 || top > 0xffff || (top & (top + 1)) !== 0) {
      throw new UnreadKind(`is a BMP image with the colour mask 0x${mask.toString(16)}`);
    }
    return { shift, top };
  });
  const channels = fields.length;
  const pixels = new Uint8Array(width * height * channels);
  const bytesPerPixel = depth / 8;
  for (let y = 0; y < height; y++) {
    let to = rowAt(header, y) * width * channels;
    for (let x = 0; x < width; x++) {
      const at = data + y * stride + x * bytesPerPixel;
      const value =
        depth === 16
          ? view.getUint16(at, true)
          : depth === 32
            ? view.getUint32(at, true)
            : view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
      for (const { shift, top } of fields) pixels[to++] = Math.floor((((value >>> shift) & top) * 255) / top);
    }
  }
  return { width, height, channels, pixels };
}
