/** PNG and JPEG files to pixels, told apart by content, never by name. */

import { convertIndexedToRgb, type DecodedPng, decode as decodePng, type IndexedColors } from 'fast-png';
import jpeg from 'jpeg-js';
import { LockstepError } from '../../errors/errors.js';
import { countOf } from '../../text/count-text.js';
import { decodeInterlaced, isPackedInterlaced, type PackedPng } from './interlaced-png.js';
import { readOrientation, turnUpright } from './orientation.js';
import { type RawImage, WHITE_16 } from './raw-image.js';

/** More than any photograph; a file that claims more is refused before memory is taken for it. */
const MAX_PIXELS = 100_000_000;

/** Names of files that are images, by their ending. */
export const isImageName = (name: string): boolean => /\.(png|jpe?g)$/i.test(name);

/**
 * Decodes a PNG (any depth, palette, interlaced) or JPEG file to 8 bits per channel.
 *
 * @param source the file's name, for errors
 * @param white16 the value of 16 bits that becomes 255
 * @throws LockstepError LOCKSTEP_DATA_IMAGE when it is neither, damaged, or larger than 100 million pixels
 */
export function decodeImage(bytes: Uint8Array, source: string, white16 = WHITE_16): RawImage {
  try {
    if (startsWith(bytes, PNG_SIGNATURE)) return decodePngImage(bytes, white16);
    if (startsWith(bytes, JPEG_SIGNATURE)) return decodeJpegImage(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw imageError(`${source} cannot be decoded: ${reason}. The file is damaged: replace or remove it.`, error);
  }
  throw imageError(`${source} is ${describeContent(bytes)}, expected a PNG or JPEG image. Convert or remove it.`);
}

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const JPEG_SIGNATURE = [0xff, 0xd8, 0xff];

const startsWith = (bytes: Uint8Array, signature: readonly number[]): boolean =>
  signature.every((byte, index) => bytes[index] === byte);

const imageError = (text: string, cause?: unknown): LockstepError =>
  new LockstepError('LOCKSTEP_DATA_IMAGE', text, { cause });

/** One error that names every file that could not be decoded. */
export function joinImageErrors(errors: readonly LockstepError[]): LockstepError {
  const [first] = errors;
  if (errors.length === 1) return first as LockstepError;
  return imageError(
    `${countOf(errors.length, 'image')} cannot be read:\n${errors.map(({ text }) => `  ${text}`).join('\n')}`,
    first,
  );
}

/** What people most often have under the wrong name. */
function describeContent(bytes: Uint8Array): string {
  const ascii = (from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));
  if (bytes.length === 0) return 'empty';
  if (ascii(0, 4) === 'GIF8') return 'a GIF';
  if (ascii(0, 4) === 'RIFF' && ascii(8, 12) === 'WEBP') return 'a WebP image';
  if (ascii(0, 2) === 'BM') return 'a BMP image';
  if (['II*\0', 'MM\0*'].includes(ascii(0, 4))) return 'a TIFF image';
  return 'not an image';
}

function decodePngImage(bytes: Uint8Array, white16: number): RawImage {
  checkPixelCount(bytes.length >= 24 ? new DataView(bytes.buffer, bytes.byteOffset) : undefined);
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

/** The image header is the first chunk: width and height stand at offsets 16 and 20. */
function checkPixelCount(header: DataView | undefined): void {
  if (header === undefined) throw new Error('it ends inside its header');
  const [width, height] = [header.getUint32(16), header.getUint32(20)];
  if (width === 0 || height === 0 || width * height > MAX_PIXELS) {
    throw new Error(`it claims ${width}x${height} pixels, the limit is ${MAX_PIXELS} in all`);
  }
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

/** 16 bits to 8: the upper byte, or the share of a white that is lower. Alpha has its full range. */
function toBytes({ data, width, height, channels }: DecodedPng, white16: number): RawImage {
  const alphaAt = channels % 2 === 0 ? channels - 1 : -1;
  const pixels = new Uint8Array(data.length);
  let largest16 = 0;
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    const isAlpha = i % channels === alphaAt;
    if (!isAlpha && value > largest16) largest16 = value;
    pixels[i] =
      isAlpha || white16 === WHITE_16 ? value >>> 8 : Math.min(255, Math.floor((value * 255) / white16 + 0.5));
  }
  return { width, height, channels, pixels, largest16 };
}

function decodeJpegImage(bytes: Uint8Array): RawImage {
  const { width, height, data } = jpeg.decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    ...(isStoredAsRgb(bytes) && { colorTransform: false }),
    tolerantDecoding: false,
    maxResolutionInMP: MAX_PIXELS / 1e6,
    maxMemoryUsageInMB: 1024,
  });
  return turnUpright({ width, height, channels: 3, pixels: data }, readOrientation(bytes));
}

/** Whether three components are red, green and blue, by libjpeg's rules: Adobe's marker says so, or else, without JFIF's, their names. */
function isStoredAsRgb(bytes: Uint8Array): boolean {
  let isJfif = false;
  let adobe: number | undefined;
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] as number;
    if (marker === 0xff) {
      at++;
      continue;
    }
    const body = bytes.subarray(at + 4, at + 2 + (((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)));
    const text = String.fromCharCode(...body.subarray(0, 5));
    if (marker === 0xe0 && text === 'JFIF\0') isJfif = true;
    if (marker === 0xee && text === 'Adobe') adobe = body[11];
    // the first frame header: precision, height, width, count, then three bytes for each component
    if (marker >= 0xc0 && marker <= 0xc2) {
      if (body[5] !== 3) return false;
      if (isJfif) return false;
      if (adobe !== undefined) return adobe === 0;
      return String.fromCharCode(body[6] as number, body[9] as number, body[12] as number) === 'RGB';
    }
    at += 4 + body.length;
  }
  return false;
}
