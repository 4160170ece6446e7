/** What a TIFF file says of its first picture. */
import { countOf } from '../../../text/count-text.js';
import { checkSize, UnreadKind, viewOf } from './picture-limits.js';

const FILE_HEADER = 8;
/** Of the types that whole numbers have, the bytes of one: BYTE, SHORT, LONG. */
const SIZES: Readonly<Record<number, 1 | 2 | 4>> = { 1: 1, 3: 2, 4: 4 };
const TAGS = {
  width: 256,
  height: 257,
  depths: 258,
  compression: 259,
  colours: 262,
  fillOrder: 266,
  stripOffsets: 273,
  samples: 277,
  rowsPerStrip: 278,
  stripBytes: 279,
  planes: 284,
  predictor: 317,
  palette: 320,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileBytes: 325,
  extra: 338,
  formats: 339,
} as const;

/** How colours are stored. */
export const WHITE_IS_ZERO = 0;
export const PALETTE = 3;
const COLOUR_SAMPLES: Readonly<Record<number, number>> = { [WHITE_IS_ZERO]: 1, 1: 1, 2: 3, [PALETTE]: 1 };
const COLOURS: Readonly<Record<number, string>> = { 5: 'CMYK', 6: 'YCbCr', 8: 'CIELab', 9: 'ICCLab' };
export const PLAIN = 1;
export const LZW = 5;
export const DEFLATES: readonly number[] = [8, 32_946];
export const PACK_BITS = 32_773;
const COMPRESSIONS: Readonly<Record<number, string>> = {
  2: 'CCITT',
  3: 'CCITT group 3',
  4: 'CCITT group 4',
  6: 'JPEG',
  7: 'JPEG',
  50000: 'Zstandard',
  50001: 'WebP',
};

/** The first picture. Its pixels lie in pieces, each on its own: strips of rows as wide as it, or tiles, the last ones filled up. */
export interface TiffHeader {
  readonly isLittle: boolean;
  readonly width: number;
  readonly height: number;
  /** Bits of a value: 1, 2, 4, 8 or 16. */
  readonly depth: number;
  /** Values a pixel, and how many of them are its colour: 1 or 3. */
  readonly samples: number;
  readonly colourSamples: number;
  /** 0: white is 0; 1: black is 0; 2: RGB; 3: a palette. */
  readonly colours: number;
  readonly compression: number;
  /** Whether each value of a pixel has its own pieces. */
  readonly isApart: boolean;
  /** Whether values are the difference to the pixel before. */
  readonly isDifference: boolean;
  readonly alpha: 'none' | 'multiplied' | 'plain';
  /** Red of all colours, then green, then blue, of 16 bits. */
  readonly palette: readonly number[];
  readonly pieces: {
    readonly isTiled: boolean;
    readonly width: number;
    readonly height: number;
    readonly offsets: readonly number[];
    /** None in some files whose pieces are not packed. */
    readonly bytes: readonly number[];
  };
  /** Pictures in the file. */
  readonly frames: number;
}

/** @throws Error when the file is damaged; UnreadKind */
export function readTiffHeader(file: Uint8Array): TiffHeader {
  const view = viewOf(file, FILE_HEADER);
  const isLittle = view.getUint16(0) === 0x4949;
  const [first, frames] = walkLists(view, isLittle);
  const fields = readFields(view, first, isLittle);
  const list = (name: keyof typeof TAGS): readonly number[] => fields.get(TAGS[name]) ?? [];
  const one = (name: keyof typeof TAGS, missing: number): number => list(name)[0] ?? missing;
  const [width, height, samples, colours] = [one('width', 0), one('height', 0), one('samples', 1), one('colours', 1)];
  checkSize(width, height);
  const isTiled = fields.has(TAGS.tileOffsets);
  const colourSamples = COLOUR_SAMPLES[colours] ?? samples;
  const depth = one('depths', 1);
  const [compression, predictor, extra] = [one('compression', PLAIN), one('predictor', 1), one('extra', 0)];
  const spare = colours === PALETTE ? 0 : 1;
  const faults: readonly (readonly [boolean, string])[] = [
    [!(colours in COLOUR_SAMPLES), `colours stored as ${COLOURS[colours] ?? colours}`],
    [
      ![PLAIN, LZW, PACK_BITS, ...DEFLATES].includes(compression),
      `the compression ${COMPRESSIONS[compression] ?? compression}`,
    ],
    [
      ![1, 2, 4, 8, 16].includes(depth) || list('depths').some((bits) => bits !== depth),
      `${list('depths').join(', ')} bits`,
    ],
    [list('formats').some((format) => format !== 1), 'values that are no whole numbers from 0'],
    [colours === PALETTE && depth > 8, 'a palette of 16 bits'],
    [samples < colourSamples || samples > colourSamples + spare, `${countOf(samples, 'value')} a pixel`],
    [one('fillOrder', 1) !== 1, 'the lowest bit of a byte first'],
    [predictor !== 1 && (predictor !== 2 || depth < 8), `the predictor ${predictor}`],
  ];
  const pieces = {
    isTiled,
    width: isTiled ? one('tileWidth', 0) : width,
    height: isTiled ? one('tileHeight', 0) : Math.min(height, one('rowsPerStrip', height)),
    offsets: list(isTiled ? 'tileOffsets' : 'stripOffsets'),
    bytes: list(isTiled ? 'tileBytes' : 'stripBytes'),
  };
  const fault = faults.find(([isFault]) => isFault);
  if (fault !== undefined) throw new UnreadKind(`is a TIFF image with ${fault[1]}`);
  checkSize(pieces.width, pieces.height);
  checkSize(fillUp(width, pieces.width), fillUp(height, pieces.height));
  return {
    ...{ isLittle, width, height, depth, samples, colourSamples, colours, compression, frames },
    isApart: one('planes', 1) === 2 && samples > 1,
    isDifference: predictor === 2,
    // what is not said to be alpha is none
    alpha: samples === colourSamples || extra === 0 ? 'none' : extra === 1 ? 'multiplied' : 'plain',
    palette: list('palette'),
    pieces,
  };
}

/** A side of the picture, up to the end of its last piece. */
const fillUp = (side: number, piece: number): number => Math.ceil(side / piece) * piece;

/** Where the first list of fields is, and how many lists there are: each says where the next one is. */
function walkLists(view: DataView, isLittle: boolean): readonly [number, number] {
  const lists = new Set<number>();
  for (let list = view.getUint32(4, isLittle); list > 0 && !lists.has(list); ) {
    const end = list + 2 > view.byteLength ? list : list + 2 + 12 * view.getUint16(list, isLittle);
    if (end === list || end > view.byteLength) break;
    lists.add(list);
    list = end + 4 > view.byteLength ? 0 : view.getUint32(end, isLittle);
  }
  const [first] = lists;
  if (first === undefined) throw new Error('it ends inside its header');
  return [first, lists.size];
}

/** Fields of whole numbers: tag, type, how many, and then these, or where they are if they take more than four bytes. */
function readFields(view: DataView, list: number, isLittle: boolean): ReadonlyMap<number, readonly number[]> {
  const fields = new Map<number, readonly number[]>();
  for (let n = 0; n < view.getUint16(list, isLittle); n++) {
    const at = list + 2 + 12 * n;
    const [tag, size, count] = [
      view.getUint16(at, isLittle),
      SIZES[view.getUint16(at + 2, isLittle)],
      view.getUint32(at + 4, isLittle),
    ];
    // of a field that comes again the first counts: many that lead to one long list would take hours
    if (size === undefined || fields.has(tag) || !Object.values<number>(TAGS).includes(tag)) continue;
    const from = size * count <= 4 ? at + 8 : view.getUint32(at + 8, isLittle);
    if (from + size * count > view.byteLength) throw new Error('it ends inside its header');
    const read = { 1: view.getUint8, 2: view.getUint16, 4: view.getUint32 }[size].bind(view);
    fields.set(
      tag,
      Array.from({ length: count }, (_, i) => read(from + size * i, isLittle)),
    );
  }
  return fields;
}
