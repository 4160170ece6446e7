/** Images as a dataset holds them: uint8, [channels][height][width]; what brings others to that form. */
import type { RawImage } from './formats/raw-image.js';

export interface PlanarImage {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** [channels][height][width]. */
  readonly pixels: Uint8Array;
}

/**
 * One plane if the image is grey (also one stored as RGB with three equal values), else red, green and blue.
 *
 * @param ground what shows through transparent pixels, 0 (black) to 255 (white)
 */
export function toPlanar(image: RawImage, ground = 255): PlanarImage {
  const { width, height } = image;
  const channels = isGrey(image) ? 1 : 3;
  const pixels = new Uint8Array(channels * height * width);
  const plane = height * width;
  const alphaAt = image.channels % 2 === 0 ? image.channels - 1 : -1;
  for (let i = 0; i < plane; i++) {
    const at = i * image.channels;
    const alpha = alphaAt < 0 ? 255 : (image.pixels[at + alphaAt] as number);
    for (let c = 0; c < channels; c++) {
      const value = image.pixels[at + c] as number;
      pixels[c * plane + i] = alpha === 255 ? value : Math.floor((value * alpha + ground * (255 - alpha) + 127) / 255);
    }
  }
  return { channels, height, width, pixels };
}

function isGrey({ channels, pixels }: RawImage): boolean {
  if (channels < 3) return true;
  for (let at = 0; at < pixels.length; at += channels) {
    if (pixels[at] !== pixels[at + 1] || pixels[at] !== pixels[at + 2]) return false;
  }
  return true;
}

/** Whether any pixel lets the ground show through. */
export function isTransparent({ channels, pixels }: RawImage): boolean {
  if (channels % 2 === 1) return false;
  for (let at = channels - 1; at < pixels.length; at += channels) if (pixels[at] !== 255) return true;
  return false;
}

/**
 * The image with 1 or 3 channels: grey is repeated; of colours the luma is taken, 0.299 R + 0.587 G + 0.114 B (ITU-R
 * BT.601, as PIL's `convert('L')`).
 */
export function withChannels(image: PlanarImage, channels: number): PlanarImage {
  if (image.channels === channels) return image;
  const plane = image.height * image.width;
  const pixels = new Uint8Array(channels * plane);
  for (let i = 0; i < plane; i++) {
    if (image.channels === 1) for (let c = 0; c < channels; c++) pixels[c * plane + i] = image.pixels[i] as number;
    else pixels[i] = luma(image.pixels, i, plane);
  }
  return { ...image, channels, pixels };
}

/** In 16-bit fixed point, as PIL has it. */
const luma = (pixels: Uint8Array, i: number, plane: number): number =>
  ((pixels[i] as number) * 19_595 +
    (pixels[plane + i] as number) * 38_470 +
    (pixels[2 * plane + i] as number) * 7_471 +
    0x8000) >>>
  16;

/** Dark becomes light. */
export const invert = (image: PlanarImage): PlanarImage => ({
  ...image,
  pixels: image.pixels.map((value) => 255 - value),
});

/** Mean of the pixels along the four edges, 0 to 1. */
export function measureEdges({ channels, height, width, pixels }: PlanarImage): number {
  let sum = 0;
  let count = 0;
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      const isEdgeRow = y === 0 || y === height - 1;
      for (let x = 0; x < width; x += isEdgeRow || width === 1 ? 1 : width - 1) {
        sum += pixels[(c * height + y) * width + x] as number;
        count++;
      }
    }
  }
  return sum / (255 * count);
}
