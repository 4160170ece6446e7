/** How a camera was held: the orientation that a JPEG's EXIF block tells, and pictures turned by it. */
import type { RawImage } from './raw-image.js';

const ORIENTATION = 0x0112;
const SHORT = 3;
/** Marker, length and `Exif\0\0`. */
const HEADER = 10;

/** 1 to 8, as EXIF counts them; 1, upright, where the file does not say, or not in a readable form. */
export function readOrientation(jpeg: Uint8Array): number {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  for (let at = 2; at + 4 <= jpeg.length && jpeg[at] === 0xff; ) {
    const marker = jpeg[at + 1] as number;
    // the picture begins: what comes later is none of its blocks
    if (marker === 0xda) return 1;
    const end = at + 2 + view.getUint16(at + 2);
    const isExif = marker === 0xe1 && String.fromCharCode(...jpeg.subarray(at + 4, at + HEADER)) === 'Exif\0\0';
    if (isExif && end <= jpeg.length && end > at + HEADER) {
      return findOrientation(new DataView(jpeg.buffer, jpeg.byteOffset + at + HEADER, end - at - HEADER));
    }
    at = end;
  }
  return 1;
}

/** What a TIFF block tells, as the EXIF block is one, and a whole TIFF file. */
export function findOrientation(block: DataView): number {
  const at = placeOfOrientation(block);
  const value = at === undefined ? 1 : block.getUint16(at, isLittleEndian(block));
  return value >= 1 && value <= 8 ? value : 1;
}

const isLittleEndian = (block: DataView): boolean => block.getUint16(0) === 0x4949;

/** Where the value stands: in the first list, of entries of 12 bytes, each with tag, type, count and value. */
function placeOfOrientation(block: DataView): number | undefined {
  if (block.byteLength < 8) return undefined;
  const isLittle = isLittleEndian(block);
  const list = block.getUint32(4, isLittle);
  if (list + 2 > block.byteLength) return undefined;
  const count = block.getUint16(list, isLittle);
  for (let at = list + 2; at < list + 2 + 12 * count && at + 12 <= block.byteLength; at += 12) {
    if (block.getUint16(at, isLittle) === ORIENTATION && block.getUint16(at + 2, isLittle) === SHORT) return at + 8;
  }
  return undefined;
}

/** The picture upright: from 5 on rows become columns, and from there or else sides are swapped. */
export function turnUpright(image: RawImage, orientation: number): RawImage {
  if (orientation === 1) return image;
  const { width: wide, height: tall, channels } = image;
  const isTurned = orientation >= 5;
  const [width, height] = isTurned ? [tall, wide] : [wide, tall];
  const isFromRight = [2, 3, 7, 8].includes(orientation);
  const isFromBottom = [3, 4, 6, 7].includes(orientation);
  const pixels = new Uint8Array(image.pixels.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [u, v] = isTurned ? [y, x] : [x, y];
      const [fromX, fromY] = [isFromRight ? wide - 1 - u : u, isFromBottom ? tall - 1 - v : v];
      const [to, from] = [(y * width + x) * channels, (fromY * wide + fromX) * channels];
      for (let c = 0; c < channels; c++) pixels[to + c] = image.pixels[from + c] as number;
    }
  }
  return { ...image, width, height, pixels, isTurned: true };
}
