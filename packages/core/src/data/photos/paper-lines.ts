/** Lines printed on paper, ruled or squared, and sides of frames: long, straight, thin, and near level or upright. */

/** A picture in black and white: 1 where something is. */
export interface Mask {
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array;
}

/** A line is at most 1/THIN of the longer side thick, and has soft edges of so many pixels. */
const THIN = 60;
const SOFT = 2;
/** It covers this share of the picture's width (or height), ... */
const COVERED = 0.6;
/** ... and rises by no more than this share on its way across. */
const STEEPEST = 0.09;

/** 1 where a line is that is no part of a stroke across it. */
export function findPaperLines(mask: Mask): Uint8Array {
  const level = findLevelLines(mask);
  const upright = turn({ ...turn(mask), pixels: findLevelLines(turn(mask)) }).pixels;
  return level.map((isLine, i) => isLine | (upright[i] as number));
}

/** Rows become columns. */
function turn({ height, width, pixels }: Mask): Mask {
  const turned = new Uint8Array(height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) turned[x * height + y] = pixels[y * width + x] as number;
  }
  return { height: width, width: height, pixels: turned };
}

/** Every slope in turn (a Hough transform for lines that are nearly level): rows that thin pixels cover for the most part. */
function findLevelLines(mask: Mask): Uint8Array {
  const { height, width } = mask;
  const thin = findThin(mask, SOFT + Math.floor(Math.max(height, width) / THIN));
  const lines = new Uint8Array(height * width);
  const reach = Math.floor(STEEPEST * width);
  for (let rise = -reach; rise <= reach; rise++) {
    const counts = new Int32Array(height + 2 * reach + 3);
    const startOf = (at: number): number => {
      const x = at % width;
      return reach + 1 + (at - x) / width - Math.floor((x * rise) / width);
    };
    for (const at of thin) counts[startOf(at)]!++;
    const isLine = (start: number): boolean => (counts[start] as number) >= COVERED * width;
    // a pixel beside the line is its soft edge
    for (const at of thin) if ([-1, 0, 1].some((beside) => isLine(startOf(at) + beside))) lines[at] = 1;
  }
  return lines;
}

/** Places of pixels with at most `limit` set pixels in a row above and below them. */
function findThin({ height, width, pixels }: Mask, limit: number): number[] {
  const thin: number[] = [];
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; ) {
      const top = y;
      while (y < height && pixels[y * width + x] === 1) y++;
      if (y - top <= limit) for (let row = top; row < y; row++) thin.push(row * width + x);
      if (y === top) y++;
    }
  }
  return thin;
}
