/**
 * The paper under a drawing: how dark each pixel is, as a share of the paper around it, whatever light falls on the paper.
 * Whole numbers only: the same on every machine.
 */
import { invert, type PlanarImage } from '../pictures/planar-image.js';

/** A grey picture on paper. */
export interface OnPaper {
  /** The picture: dark ink on light paper. */
  readonly image: PlanarImage;
  /** The paper alone, as if nothing were drawn on it. */
  readonly paper: Int16Array;
  /** 0 where the paper is, and more where ink is, up to 255. */
  readonly darkness: PlanarImage;
}

/** Paper darker than this is taken for so dark, or its noise would look like ink. */
const DARKEST_PAPER = 64;

/**
 * How far each pixel is below its paper: 255 (paper - pixel) / paper, where ink is dark; paper - pixel of the inverted picture
 * where it is light, such as chalk on a board. The paper is the picture without what is dark and narrower than the window (a
 * closing, the black top-hat of morphology): falling light and edges of shadows stay in it.
 *
 * @param picture grey
 * @param window side in pixels of the window: wider than any stroke, narrower than what the light does
 */
export function findPaper(picture: PlanarImage, isDark: boolean, window: number): OnPaper {
  const image = isDark ? picture : invert(picture);
  const paper = close(image, window >> 1);
  const pixels = image.pixels.map((pixel, at) => {
    const below = Math.max(0, (paper[at] as number) - pixel);
    return isDark ? Math.min(255, Math.floor((255 * below) / Math.max(DARKEST_PAPER, paper[at] as number))) : below;
  });
  return { image, paper, darkness: { ...image, pixels } };
}

/**
 * Whether what stands out from its surroundings is darker than they are: ink on paper, not chalk on a board. By the sign
 * of the third moment about the mean of the surroundings, to which an edge between two halves adds nothing.
 */
export function isDarkInk({ height, width, pixels }: PlanarImage): boolean {
  const sums = sumUp(height, width, pixels);
  const radius = Math.max(1, Math.max(height, width) >> 3);
  let skew = 0;
  for (let y = 0; y < height; y++) {
    const [top, bottom] = [Math.max(0, y - radius), Math.min(height, y + radius + 1)];
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.max(0, x - radius), Math.min(width, x + radius + 1)];
      const at = (row: number, column: number): number => sums[row * (width + 1) + column] as number;
      const sum = at(bottom, right) - at(top, right) - at(bottom, left) + at(top, left);
      const mean = Math.floor(sum / ((bottom - top) * (right - left)));
      const above = (pixels[y * width + x] as number) - mean;
      skew += above * above * above;
    }
  }
  return skew < 0;
}

/** [height + 1][width + 1]: the sum of all pixels above and to the left. */
function sumUp(height: number, width: number, pixels: Uint8Array): Float64Array {
  const sums = new Float64Array((height + 1) * (width + 1));
  for (let y = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++) {
      row += pixels[y * width + x] as number;
      sums[(y + 1) * (width + 1) + x + 1] = (sums[y * (width + 1) + x + 1] as number) + row;
    }
  }
  return sums;
}

/** The mean of 3x3 pixels, against noise. */
export function smooth({ height, width, pixels }: PlanarImage): PlanarImage {
  const smoothed = new Uint8Array(height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let [sum, count] = [0, 0];
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          sum += pixels[v * width + u] as number;
          count++;
        }
      }
      smoothed[y * width + x] = Math.floor(sum / count);
    }
  }
  return { channels: 1, height, width, pixels: smoothed };
}

/**
 * The closing by a square of side 2 radius + 1 that may hang over the picture's edges: so what lies along an edge, such as a
 * shadow, stays however narrow it is.
 */
function close({ height, width, pixels }: PlanarImage, radius: number): Int16Array {
  const [tall, wide] = [height + 2 * radius, width + 2 * radius];
  const dilated = new Int16Array(tall * wide);
  for (let y = 0; y < height; y++) {
    const row = new Int16Array(width + 4 * radius).fill(-1);
    for (let x = 0; x < width; x++) row[2 * radius + x] = pixels[y * width + x] as number;
    dilated.set(
      slide(row, 2 * radius + 1, (a, b) => a >= b),
      (radius + y) * wide,
    );
  }
  for (let x = 0; x < wide; x++) {
    const column = new Int16Array(height + 4 * radius).fill(-1);
    for (let y = 0; y < height; y++) column[2 * radius + y] = dilated[(radius + y) * wide + x] as number;
    const lightest = slide(column, 2 * radius + 1, (a, b) => a >= b);
    for (let y = 0; y < tall; y++) dilated[y * wide + x] = lightest[y] as number;
  }
  const eroded = new Int16Array(tall * width);
  for (let y = 0; y < tall; y++) {
    eroded.set(
      slide(dilated.subarray(y * wide, (y + 1) * wide), 2 * radius + 1, (a, b) => a <= b),
      y * width,
    );
  }
  const closed = new Int16Array(height * width);
  for (let x = 0; x < width; x++) {
    const column = new Int16Array(tall);
    for (let y = 0; y < tall; y++) column[y] = eroded[y * width + x] as number;
    const darkest = slide(column, 2 * radius + 1, (a, b) => a <= b);
    for (let y = 0; y < height; y++) closed[y * width + x] = darkest[y] as number;
  }
  return closed;
}

/** The winner of each `size` values that follow one another; `size` - 1 fewer than came in. */
function slide(values: Int16Array, size: number, wins: (a: number, b: number) => boolean): Int16Array {
  const winners = new Int16Array(values.length - size + 1);
  // places of values that may still win, the best first
  const queue = new Int32Array(values.length);
  let [first, end] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    while (end > first && wins(values[i] as number, values[queue[end - 1] as number] as number)) end--;
    queue[end++] = i;
    if ((queue[first] as number) <= i - size) first++;
    if (i >= size - 1) winners[i - size + 1] = values[queue[first] as number] as number;
  }
  return winners;
}
