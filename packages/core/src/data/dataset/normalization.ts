/** What the pixels of a dataset are like, taken from its training images. */

import { measureEdges } from '../pictures/planar-image.js';
import type { Dataset, Split } from './dataset.js';

/** Of MNIST's training images, as every reference has them. */
export const MNIST_MEAN = 0.1307;
export const MNIST_STD = 0.3081;

/** A channel whose pixels are all the same has no spread to divide by: half a grey level stands for it. */
const SMALLEST_STD = 0.5 / 255;
/** A largest value above this is of images from 0 to 255. */
const LARGEST_OTHER_WHITE = 127;
/** Images that `measureBorder` looks at. */
const BORDER_IMAGES = 1000;

interface Shape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Mean and standard deviation of each channel, of pixels as fractions 0 to 1; from exact integer sums. */
export function measureNormalization(split: Split, { channels, height, width }: Shape) {
  const plane = height * width;
  const mean: number[] = [];
  const std: number[] = [];
  for (let c = 0; c < channels; c++) {
    const histogram = new Float64Array(256);
    for (let n = 0; n < split.count; n++) {
      const from = (n * channels + c) * plane;
      for (let i = from; i < from + plane; i++) {
        const value = split.images[i] as number;
        histogram[value] = (histogram[value] as number) + 1;
      }
    }
    const total = split.count * plane;
    const sum = histogram.reduce((all, count, value) => all + count * value, 0);
    const squares = histogram.reduce((all, count, value) => all + count * value * value, 0);
    const average = sum / total;
    mean.push(average / 255);
    std.push(Math.max(SMALLEST_STD, Math.sqrt(Math.max(0, squares / total - average * average)) / 255));
  }
  return { mean, std };
}

/**
 * The pixel value that stands for white: 255, or the images' largest where that is below half of it, as in data of 0 and
 * 1, or of 0 to 16. Images that are all of one value say nothing.
 */
export function measureWhite({ images }: Split): number {
  let [least, most] = [255, 0];
  for (let i = 0; i < images.length; i++) {
    const value = images[i] as number;
    if (value > LARGEST_OTHER_WHITE) return 255;
    if (value > most) most = value;
    if (value < least) least = value;
  }
  return most > least ? most : 255;
}

/**
 * Mean of the pixels along the training images' edges, as a fraction of white, 0 to 1: whether their ground is dark or
 * light.
 */
export function measureBorder({ train, channels, height, width }: Dataset, white: number): number {
  const count = Math.min(train.count, BORDER_IMAGES);
  const bytes = channels * height * width;
  let sum = 0;
  for (let n = 0; n < count; n++) {
    sum += measureEdges({ channels, height, width, pixels: train.images.subarray(n * bytes, (n + 1) * bytes) });
  }
  return count > 0 ? Math.min(1, ((sum / count) * 255) / white) : 0;
}
