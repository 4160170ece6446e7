/** For tests: pictures as BMP, GIF and TIFF files, written from their values. */
import { deflateSync } from 'node:zlib';

const little = (value: number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, i) => Math.floor(value / 2 ** (8 * i)) & 255);

/** Values of less than 9 bits side by side, the highest bit first, to a multiple of so many bytes. */
export function packBits(values: readonly number[], depth: number, multiple = 1): number[] {
  const row = new Array<number>(Math.ceil((values.length * depth) / 8 / multiple) * multiple).fill(0);
  for (const [i, value] of values.entries()) row[(i * depth) >> 3]! |= value << (8 - depth - ((i * depth) & 7));
  return row;
}

const rowsOf = (values: readonly number[], width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, y) => values.slice(y * width, (y + 1) * width));

/** Codes of LZW in the way of GIF (lowest bits first) or TIFF (highest first, one code early). */
export function packLzw(bytes: readonly number[], bits: number, isTiff: boolean): number[] {
  const packed: number[] = [];
  const clear = 2 ** bits;
  let [codes, width, pending, held] = [new Map<string, number>(), bits + 1, 0, 0];
  let count = clear + 2;
  const put = (code: number): void => {
    for (let i = 0; i < width; i++) {
      const bit = (code >> (isTiff ? width - 1 - i : i)) & 1;
      held |= bit << (isTiff ? 7 - pending : pending);
      if (++pending === 8) {
        packed.push(held);
        [pending, held] = [0, 0];
      }
    }
  };
  put(clear);
  let run = '';
  const codeOf = (text: string): number => (text.length === 1 ? text.charCodeAt(0) : (codes.get(text) as number));
  for (const byte of bytes) {
    const longer = run + String.fromCharCode(byte);
    if (longer.length === 1 || codes.has(longer)) {
      run = longer;
      continue;
    }
    put(codeOf(run));
    codes.set(longer, count++);
    // a reader is one code behind
    if (count - 1 === 2 ** width - (isTiff ? 1 : 0)) width++;
    if (count === 4094) {
      put(codeOf(String.fromCharCode(byte)));
      put(clear);
      [codes, width, count, run] = [new Map(), bits + 1, clear + 2, ''];
      continue;
    }
    run = String.fromCharCode(byte);
  }
  if (run !== '') put(codeOf(run));
  put(clear + 1);
  if (pending > 0) packed.push(held);
  return packed;
}

export interface Bmp {
  readonly width: number;
  readonly depth: 1 | 4 | 8 | 16 | 24 | 32;
  /** Of each pixel its place in the palette, or its bits. */
  readonly values: readonly number[];
  /** Blue, green, red and a byte more of each colour. */
  readonly palette?: readonly number[];
  readonly isFromTop?: boolean;
  /** Of the colours' bits: red, green, blue, alpha. */
  readonly masks?: readonly number[];
  /** Instead of rows: a compression, and the packed pixels. */
  readonly packed?: readonly [number, readonly number[]];
}

export function encodeBmp({ width, depth, values, palette = [], isFromTop, masks, packed }: Bmp): Uint8Array {
  const height = values.length / width;
  const rows = rowsOf(values, width).map((row) => {
    const bytes = depth <= 8 ? packBits(row, depth) : row.flatMap((value) => little(value, depth / 8));
    return [...bytes, ...new Array<number>((4 - (bytes.length % 4)) % 4).fill(0)];
  });
  const pixels = packed?.[1] ?? (isFromTop ? rows : rows.reverse()).flat();
  const header = masks === undefined ? 40 : 56;
  const compression = packed?.[0] ?? (masks === undefined ? 0 : 3);
  const data = 14 + header + palette.length;
  const size = data + pixels.length;
  const tall = isFromTop ? 2 ** 32 - height : height;
  const words = [0, pixels.length, 2835, 2835, palette.length / 4, 0].slice(1).flatMap((value) => little(value, 4));
  return Uint8Array.of(
    ...[...Buffer.from('BM'), ...little(size, 4), 0, 0, 0, 0, ...little(data, 4)],
    ...[...little(header, 4), ...little(width, 4), ...little(tall, 4), 1, 0, ...little(depth, 2)],
    ...[...little(compression, 4), ...words, ...(masks ?? []).flatMap((mask) => little(mask, 4))],
    ...[...palette, ...pixels],
  );
}

export interface Gif {
  readonly width: number;
  /** Places in the palette. */
  readonly values: readonly number[];
  /** Red, green, blue of each colour; their number a power of two. */
  readonly palette: readonly number[];
  readonly clear?: number | undefined;
  readonly isInterlaced?: boolean;
  readonly pictures?: number;
  /** Where the picture lies on a larger canvas: left, top, and the canvas's width and height. */
  readonly place?: readonly [number, number, number, number];
}

export function encodeGif({ width, values, palette, clear, isInterlaced, pictures = 1, place }: Gif): Uint8Array {
  const height = values.length / width;
  const [left, top, wide, tall] = place ?? [0, 0, width, height];
  const rows = rowsOf(values, width);
  const passes = [...rows.keys()].sort((a, b) => passOf(a) - passOf(b) || a - b);
  const order = isInterlaced ? passes.flatMap((y) => rows[y] as number[]) : values;
  const bits = Math.max(2, Math.log2(palette.length / 3));
  const packed = packLzw(order, bits, false);
  const blocks = Array.from({ length: Math.ceil(packed.length / 255) }, (_, i) => packed.slice(255 * i, 255 * i + 255));
  const words = (...all: number[]): number[] => all.flatMap((value) => little(value, 2));
  const picture = [
    ...(clear === undefined ? [] : [0x21, 0xf9, 4, 1, 0, 0, clear, 0]),
    ...[0x2c, ...words(left, top, width, height), isInterlaced ? 0x40 : 0, bits],
    ...[...blocks.flatMap((block) => [block.length, ...block]), 0],
  ];
  const table = 0x80 | (Math.log2(palette.length / 3) - 1);
  const header = [...Buffer.from('GIF89a'), ...words(wide, tall), table, 0, 0, ...palette];
  const comment = [0x21, 0xfe, 2, 0x2c, 0x3b, 0];
  return Uint8Array.of(...header, ...comment, ...Array.from({ length: pictures }, () => picture).flat(), 0x3b);
}

/** The pass in which an interlaced picture has a row. */
const passOf = (y: number): number => (y % 8 === 0 ? 0 : y % 8 === 4 ? 1 : y % 4 === 2 ? 2 : 3);

export interface Tiff {
  readonly width: number;
  readonly depth: 1 | 2 | 4 | 8 | 16;
  readonly samples: number;
  /** [row][column][sample]. */
  readonly values: readonly number[];
  /** 0: white is 0; 1: black is 0; 2: RGB; 3: a palette. */
  readonly colours: number;
  readonly isBig?: boolean;
  readonly isApart?: boolean;
  readonly isDifference?: boolean;
  /** Rows of a strip, or width and height of a tile; default: one strip. */
  readonly piece?: number | readonly [number, number] | undefined;
  readonly compression?: 1 | 5 | 8 | 32_773;
  readonly palette?: readonly number[];
  /** 1: alpha that the colours are multiplied by; 2: alpha. */
  readonly extra?: 0 | 1 | 2 | undefined;
  readonly orientation?: number;
  /** Further fields, or others instead, of one SHORT each. */
  readonly more?: readonly (readonly [number, number])[];
  /** Lists of fields, the same again. */
  readonly pictures?: number;
}

export function encodeTiff(tiff: Tiff): Uint8Array {
  const { width, depth, samples, values, colours, isBig = false, compression = 1, more = [], pictures = 1 } = tiff;
  const { isApart = false, isDifference = false, piece, palette = [], extra, orientation } = tiff;
  const height = values.length / width / samples;
  const whole = (value: number, bytes: number): number[] =>
    isBig ? little(value, bytes).reverse() : little(value, bytes);
  const [wide, tall] = typeof piece === 'object' ? piece : [width, piece ?? height];
  const isTiled = typeof piece === 'object';
  const at = (y: number, x: number, s: number): number => values[(y * width + x) * samples + s] ?? 0;
  const planes = isApart
    ? Array.from({ length: samples }, (_, s) => [s])
    : [Array.from({ length: samples }, (_, s) => s)];
  const pieces: number[][] = [];
  for (const own of planes) {
    for (let top = 0; top < height; top += tall) {
      for (let left = 0; left < width; left += wide) {
        const rows = Array.from({ length: isTiled ? tall : Math.min(tall, height - top) }, (_, y) =>
          Array.from({ length: wide }, (_, x) =>
            own.map((s) => (left + x < width ? at(top + y, left + x, s) : 0)),
          ).flat(),
        );
        const written = rows.map((row) =>
          isDifference ? row.map((value, i) => (value - (row[i - own.length] ?? 0)) & (2 ** depth - 1)) : row,
        );
        const bytes = written.flatMap((row) =>
          depth === 16 ? row.flatMap((value) => whole(value, 2)) : packBits(row, depth),
        );
        pieces.push(pack(bytes, compression));
      }
    }
  }
  const offsets: number[] = [];
  const data = pieces.flatMap((bytes, i) => {
    offsets.push(8 + pieces.slice(0, i).reduce((sum, one) => sum + one.length, 0));
    return bytes;
  });
  const short = (tag: number, ...all: number[]) => ({ tag, type: 3, all });
  const usual = [
    ...[short(256, width), short(257, height), short(258, ...new Array<number>(samples).fill(depth))],
    ...[short(259, compression), short(262, colours)],
    ...(orientation === undefined ? [] : [short(274, orientation)]),
    ...(isTiled ? [] : [{ tag: 273, type: 4, all: offsets }]),
    ...[short(277, samples)],
    ...(isTiled ? [] : [short(278, tall), { tag: 279, type: 4, all: pieces.map(({ length }) => length) }]),
    ...(isApart ? [short(284, 2)] : []),
    ...(isDifference ? [short(317, 2)] : []),
    ...(palette.length > 0 ? [short(320, ...palette)] : []),
    ...(isTiled ? [short(322, wide), short(323, tall), { tag: 324, type: 4, all: offsets }] : []),
    ...(isTiled ? [{ tag: 325, type: 4, all: pieces.map(({ length }) => length) }] : []),
    ...(extra === undefined ? [] : [short(338, extra)]),
  ];
  const fields = [
    ...usual.filter(({ tag }) => !more.some(([other]) => other === tag)),
    ...more.map(([tag, value]) => short(tag, value)),
  ];
  const list = 8 + data.length;
  const listBytes = 2 + 12 * fields.length + 4;
  const beside: number[] = [];
  const entries = fields.flatMap(({ tag, type, all }) => {
    const bytes = all.flatMap((value) => whole(value, type === 3 ? 2 : 4));
    const isInside = bytes.length <= 4;
    const place = list + pictures * listBytes + beside.length;
    if (!isInside) beside.push(...bytes);
    const held = isInside ? [...bytes, 0, 0, 0, 0].slice(0, 4) : whole(place, 4);
    return [...whole(tag, 2), ...whole(type, 2), ...whole(all.length, 4), ...held];
  });
  const lists = Array.from({ length: pictures }, (_, i) => [
    ...[...whole(fields.length, 2), ...entries],
    ...whole(i + 1 < pictures ? list + (i + 1) * listBytes : 0, 4),
  ]);
  const header = [...Buffer.from(isBig ? 'MM' : 'II'), ...whole(42, 2), ...whole(list, 4)];
  return Uint8Array.from([...header, ...data, ...lists.flat(), ...beside]);
}

function pack(bytes: readonly number[], compression: Tiff['compression']): number[] {
  if (compression === 5) return packLzw(bytes, 8, true);
  if (compression === 8) return [...deflateSync(Uint8Array.from(bytes))];
  if (compression !== 32_773) return [...bytes];
  const packed: number[] = [];
  for (let i = 0; i < bytes.length; ) {
    let run = 1;
    while (run < 128 && bytes[i + run] === bytes[i] && i + run < bytes.length) run++;
    const isRun = run > 1;
    const length = isRun ? run : Math.min(3, bytes.length - i);
    packed.push(...(isRun ? [257 - run, bytes[i] as number] : [length - 1, ...bytes.slice(i, i + length)]));
    i += length;
  }
  return packed;
}
