/**
 * Resizing with a triangle filter: bilinear when enlarging; when shrinking the triangle is as wide as the shrinking, so
 * that every pixel counts (PIL's BILINEAR with antialiasing). Only + - * / on doubles: the same bytes on every machine.
 */
import { allocateSplit, createDataset, type Dataset, type Split } from '../dataset/dataset.js';
import type { PlanarImage } from '../pictures/planar-image.js';

/** Weights of the input pixels [first, first + weights.length) in one output pixel; they add up to 1. */
interface Tap {
  readonly first: number;
  readonly weights: Float64Array;
}

/** Stretches an image to height x width; values are rounded to the nearest. */
export function resizeImage(image: PlanarImage, height: number, width: number): PlanarImage {
  if (image.height === height && image.width === width) return image;
  const { channels } = image;
  const columns = planTaps(image.width, width);
  const rows = planTaps(image.height, height);
  const pixels = new Uint8Array(channels * height * width);
  const wide = new Float64Array(image.height * width);
  for (let c = 0; c < channels; c++) {
    const plane = image.pixels.subarray(c * image.height * image.width, (c + 1) * image.height * image.width);
    filterRows(plane, image.height, image.width, columns, wide);
    filterColumns(wide, width, rows, pixels.subarray(c * height * width, (c + 1) * height * width));
  }
  return { channels, height, width, pixels };
}

/** Stretches every image of a dataset. */
export function resizeDataset(dataset: Dataset, { height, width }: { height: number; width: number }): Dataset {
  const { train, validation, test, channels } = dataset;
  const bytes = channels * dataset.height * dataset.width;
  const resizeSplit = (split: Split): Split => {
    const resized = allocateSplit(split.count, channels * height * width);
    for (let n = 0; n < split.count; n++) {
      const pixels = split.images.subarray(n * bytes, (n + 1) * bytes);
      const image = { channels, height: dataset.height, width: dataset.width, pixels };
      resized.images.set(resizeImage(image, height, width).pixels, n * channels * height * width);
    }
    resized.labels.set(split.labels);
    return resized;
  };
  const splits = { train: resizeSplit(train), validation: resizeSplit(validation), test: resizeSplit(test) };
  return createDataset({ ...dataset, height, width, ...splits });
}

function planTaps(from: number, to: number): Tap[] {
  const scale = from / to;
  const radius = Math.max(1, scale);
  return Array.from({ length: to }, (_, index) => {
    const centre = (index + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - radius + 0.5));
    const end = Math.min(from, Math.floor(centre + radius + 0.5));
    const raw = Array.from({ length: end - first }, (_, k) =>
      Math.max(0, 1 - Math.abs(first + k + 0.5 - centre) / radius),
    );
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return { first, weights: Float64Array.from(raw, (weight) => weight / sum) };
  });
}

/** Each row of `plane` to the width of the taps, into `out`. */
function filterRows(plane: Uint8Array, height: number, width: number, taps: readonly Tap[], out: Float64Array): void {
  for (let y = 0; y < height; y++) {
    for (const [x, { first, weights }] of taps.entries()) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += (weights[k] as number) * (plane[y * width + first + k] as number);
      out[y * taps.length + x] = sum;
    }
  }
}

function filterColumns(wide: Float64Array, width: number, taps: readonly Tap[], out: Uint8Array): void {
  for (const [y, { first, weights }] of taps.entries()) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++)
        sum += (weights[k] as number) * (wide[(first + k) * width + x] as number);
      out[y * width + x] = Math.floor(sum + 0.5);
    }
  }
}
