/**
 * Augmentation of one image, and the normalisation after it: the contract for the native kernel.
 *
 * A sample's changes are drawn from words 0 to 3 of Philox4x32-10 with key = seed and counter = [index 0,
 * lane = sample's index in the training set, stream = epoch, purpose = 3 (augmentation)]; whether it is cropped, from word 0
 * of index 1.
 */

import { philox, purposes } from '@lockstep/core/math';
import type { Shape } from '@lockstep/core/model';
import type { Augmentation } from '@lockstep/core/spec';

/** What is done to one image. */
export interface ImageChange {
  readonly angleDegrees: number;
  /** Above 1 the image's content grows. */
  readonly scale: number;
  /** Whole pixels, to the right. */
  readonly shiftX: number;
  /** Whole pixels, down. */
  readonly shiftY: number;
}

/** How pixels become the network's input: (value / 255 - mean) / std. */
export interface PixelNormalization {
  readonly mean: number;
  readonly std: number;
}

/** The words that decide about one image: rotation, scale, shift along x, shift along y; crop. */
export type ChangeWords = readonly [number, number, number, number, number];

export function drawWords(seed: number, epoch: number, image: number): ChangeWords {
  const draw = (index: number): number[] => {
    const words = new Uint32Array(4);
    philox(seed, purposes.augmentation, epoch, image, index, words);
    return [...words];
  };
  return [...draw(0), ...draw(1).slice(0, 1)] as unknown as ChangeWords;
}

/** The change of an image `width` pixels wide. */
export function drawChange(words: ChangeWords, augmentation: Augmentation, width: number): ImageChange {
  const uniforms = words.map((word) => (word >>> 8) / 2 ** 24);
  const [u0, u1, u2, u3, u4] = uniforms as [number, number, number, number, number];
  const { rotation, scale, shift, centerCrop } = augmentation;
  const isCropped = centerCrop !== undefined && u4 < centerCrop.probability;
  return {
    angleDegrees: (2 * u0 - 1) * rotation,
    scale: (1 + (2 * u1 - 1) * scale) * (isCropped ? width / centerCrop.size : 1),
    shiftX: Math.floor(u2 * (2 * shift + 1)) - shift,
    shiftY: Math.floor(u3 * (2 * shift + 1)) - shift,
  };
}

/**
 * Rotates and scales an image about its centre, then shifts it: bilinear, pixels from outside are 0.
 *
 * @param image [channel][row][column]
 * @returns the same layout, values still 0 to 255
 */
export function augmentImage(image: Uint8Array, shape: Shape, change: ImageChange): Float64Array {
  const { channels, height, width } = shape;
  const out = new Float64Array(image.length);
  const source = sourcePosition(shape, change);
  for (let channel = 0; channel < channels; channel++) {
    const plane = image.subarray(channel * height * width, (channel + 1) * height * width);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [sourceY, sourceX] = source(y, x);
        out[(channel * height + y) * width + x] = sampleBilinear(plane, height, width, sourceY, sourceX);
      }
    }
  }
  return out;
}

/** Takes an output pixel to the place in the input it shows: unshift, then rotate and scale back about the centre. */
function sourcePosition({ height, width }: Shape, { angleDegrees, scale, shiftX, shiftY }: ImageChange) {
  const radians = (angleDegrees * Math.PI) / 180;
  const cos = Math.cos(radians);
  const sin = Math.sin(radians);
  const centerY = (height - 1) / 2;
  const centerX = (width - 1) / 2;
  return (y: number, x: number): [y: number, x: number] => {
    const dy = y - centerY - shiftY;
    const dx = x - centerX - shiftX;
    return [(-sin * dx + cos * dy) / scale + centerY, (cos * dx + sin * dy) / scale + centerX];
  };
}

function sampleBilinear(plane: Uint8Array, height: number, width: number, y: number, x: number): number {
  const top = Math.floor(y);
  const left = Math.floor(x);
  const down = y - top;
  const right = x - left;
  const pixel = (row: number, column: number): number =>
    row >= 0 && row < height && column >= 0 && column < width ? (plane[row * width + column] ?? 0) : 0;
  return (
    (1 - down) * ((1 - right) * pixel(top, left) + right * pixel(top, left + 1)) +
    down * ((1 - right) * pixel(top + 1, left) + right * pixel(top + 1, left + 1))
  );
}

/** Pixel values 0 to 255 to the network's input. */
export const normalizePixels = (pixels: ArrayLike<number>, { mean, std }: PixelNormalization): Float64Array =>
  Float64Array.from(pixels, (value) => (value / 255 - mean) / std);
