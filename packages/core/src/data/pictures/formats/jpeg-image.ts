/** JPEG files to RGB. */
import jpeg from 'jpeg-js';
import { readOrientation, turnUpright } from './orientation.js';
import { MAX_PIXELS, UnreadKind } from './picture-limits.js';
import type { RawImage } from './raw-image.js';

/** @throws Error when the file is damaged; UnreadKind */
export function decodeJpegImage(bytes: Uint8Array): RawImage {
  const colours = readColours(bytes);
  if (colours === 'CMYK without marker') {
    throw new UnreadKind("is a JPEG image in CMYK without Adobe's marker, and so may be stored inverted or not");
  }
  const { width, height, data } = jpeg.decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    ...(colours === 'RGB' && { colorTransform: false }),
    tolerantDecoding: false,
    maxResolutionInMP: MAX_PIXELS / 1e6,
    maxMemoryUsageInMB: 1024,
  });
  const picture = { width, height, channels: 3, pixels: data, ...(colours === 'CMYK' && { isCmyk: true }) };
  return turnUpright(picture, readOrientation(bytes));
}

/**
 * What the components are, by libjpeg's rules. Three are red, green and blue where Adobe's marker says so, or else, without
 * JFIF's, their names. Four are inks, of which Adobe stores what they leave of the light.
 */
function readColours(bytes: Uint8Array): 'RGB' | 'CMYK' | 'CMYK without marker' | 'other' {
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
      if (body[5] === 4) return adobe === undefined ? 'CMYK without marker' : 'CMYK';
      if (body[5] !== 3 || isJfif) return 'other';
      const names = String.fromCharCode(body[6] as number, body[9] as number, body[12] as number);
      return (adobe === undefined ? names === 'RGB' : adobe === 0) ? 'RGB' : 'other';
    }
    at += 4 + body.length;
  }
  return 'other';
}
