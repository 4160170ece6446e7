/** PNG files of every kind to 8 bits per channel. */
import { convertIndexedToRgb, type DecodedPng, decode as decodePng, type IndexedColors } from 'fast-png';
import { decodeInterlaced, isPackedInterlaced, type PackedPng } from './interlaced-png.js';
import { checkSize, viewOf } from './picture-limits.js';
import { type RawImage, toBytes } from './raw-image.js';

const ACTL = 0x6163_544c;
const IDAT = 0x4944_4154;

/** @throws Error when the file is damaged */
export function decodePngImage(bytes: Uint8Array, white16: number): RawImage {
  // the image header is the first chunk
  const header = viewOf(bytes, 24);
  checkSize(header.getUint32(16), header.getUint32(20));
  const frames = countFrames(header);
  return { ...decodeFirst(bytes, white16), ...(frames > 1 && { frames }) };
}

/** A moving picture (APNG) says how many it has in a chunk of its own, before the data of the first. */
function countFrames(view: DataView): number {
  for (let at = 8; at + 12 <= view.byteLength; at += 12 + view.getUint32(at)) {
    const type = view.getUint32(at + 4);
    if (type === ACTL) return view.getUint32(at + 8);
    if (type === IDAT) break;
  }
  return 1;
}

function decodeFirst(bytes: Uint8Array, white16: number): RawImage {
  if (isPackedInterlaced(bytes)) return unpack(decodeInterlaced(bytes));
  const png = decodePng(bytes, { checkCrc: true });
  const { width, height } = png;
  if (png.palette !== undefined) {
    return { width, height, channels: png.palette[0]?.length ?? 3, pixels: convertIndexedToRgb(png) };
  }
  // Grey of less than 8 bits is packed like a palette's indexes.
  if (png.depth < 8) {
    const channels = png.transparency === undefined ? 1 : 4;
    return { width, height, channels, pixels: convertIndexedToRgb(withGreyPalette(png)) };
  }
  if (png.depth === 16) return withTransparentColour(toBytes(png, white16), png);
  const pixels = new Uint8Array(png.data.buffer, png.data.byteOffset, png.data.byteLength);
  return withTransparentColour({ width, height, channels: png.channels, pixels }, png);
}

/** A grey level or colour that the file names as transparent gives the picture a channel of alpha. */
function withTransparentColour(image: RawImage, { data, transparency }: DecodedPng): RawImage {
  if (transparency === undefined) return image;
  const { channels, pixels } = image;
  const opaque = channels + 1;
  const shown = new Uint8Array((pixels.length / channels) * opaque).fill(255);
  for (let from = 0, to = 0; from < pixels.length; from += channels, to += opaque) {
    for (let c = 0; c < channels; c++) shown[to + c] = pixels[from + c] as number;
    if (transparency.every((value, c) => c >= channels || value === data[from + c])) shown[to + channels] = 0;
  }
  return { ...image, channels: opaque, pixels: shown };
}

/** The pixels of a picture whose values are levels of grey, or places in a palette. */
function unpack({ width, height, depth, values, palette, transparency }: PackedPng): RawImage {
  const channels = palette === undefined ? (transparency === undefined ? 1 : 2) : transparency === undefined ? 3 : 4;
  const pixels = new Uint8Array(values.length * channels);
  const clear = transparency && (transparency[0] as number) * 256 + (transparency[1] as number);
  for (const [i, value] of values.entries()) {
    if (palette === undefined) {
      pixels[i * channels] = (value * 255) / (2 ** depth - 1);
      if (channels === 2) pixels[2 * i + 1] = value === clear ? 0 : 255;
    } else {
      if (3 * value + 3 > palette.length) throw new Error(`colour ${value} is not in its palette`);
      pixels.set(palette.subarray(3 * value, 3 * value + 3), i * channels);
      if (transparency !== undefined) pixels[4 * i + 3] = transparency[value] ?? 255;
    }
  }
  return { width, height, channels, pixels };
}

function withGreyPalette(png: DecodedPng): DecodedPng {
  const top = 2 ** png.depth - 1;
  const clear = png.transparency?.[0];
  const colourOf = (level: number): number[] => {
    const light = (255 / top) * level;
    return clear === undefined ? [light] : [light, light, light, level === clear ? 0 : 255];
  };
  return { ...png, palette: Array.from({ length: top + 1 }, (_, level) => colourOf(level)) as IndexedColors };
}
