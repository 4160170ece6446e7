/**
 * Photographs made without a camera: a digit drawn with a pen on a sheet of paper, in bad light. Whole numbers and a random
 * sequence of our own: the same bytes each time.
 */
import { type PlanarImage, resizeImage } from '@lockstep/core/data';
import type { RawImage } from '@lockstep/core/data/pictures';

export const SIZE = { height: 330, width: 420 };

type Colour = readonly [number, number, number];
/** What is drawn on: the light that falls on a place, of 256, and what is printed there or lies over it. */
interface Sheet {
  readonly light?: (x: number, y: number) => number;
  readonly print?: (x: number, y: number) => Colour | undefined;
}

const { height, width } = SIZE;
const PAPER: Colour = [238, 234, 225];
const TABLE: Colour = [70, 50, 38];
const BLUE_LINE: Colour = [150, 172, 214];
const GREY_LINE: Colour = [168, 168, 172];
const BLACK_LINE: Colour = [40, 40, 44];
const RED_LINE: Colour = [222, 120, 120];

/** Light that falls by 90 of the paper's 235 grey levels from one side of the sheet to the other. */
const fall = (way: number): number => 256 - Math.floor((98 * way) / 1000);
const isInside = (x: number, y: number, margin: number): boolean =>
  x >= margin && y >= margin && x < width - margin && y < height - margin;
/** The shadow of what stands beside the lamp: a hard edge through the drawing. */
const shade = (isDark: boolean): number => (isDark ? 150 : 256);

export const SHEETS: Readonly<Record<string, Sheet>> = {
  'light falling off to the right': { light: (x) => fall((1000 * x) / width) },
  'light falling off to a corner': { light: (x, y) => fall((500 * x) / width + (500 * (height - y)) / height) },
  'a shadow from the left': { light: (x, y) => shade(5 * x + y < 5 * 200) },
  'a shadow from below, and falling light': {
    light: (x, y) => (shade(3 * y - x > 3 * 130) * fall((1000 * x) / width)) >> 8,
  },
  'ruled paper': {
    print: (x, y) => (x > 45 && x < 48 ? RED_LINE : (y + Math.floor(x / 60)) % 26 < 2 ? BLUE_LINE : undefined),
  },
  'squared paper': { print: (x, y) => ((x + 5) % 18 === 0 || (y + 11) % 18 === 0 ? GREY_LINE : undefined) },
  'ruled paper in falling light': {
    light: (x, y) => fall((700 * x) / width + (300 * y) / height),
    print: (x, y) => ((y + 300 - Math.floor(x / 40)) % 30 < 2 ? BLUE_LINE : undefined),
  },
  'a table around the sheet': { print: (x, y) => (isInside(x - (y >> 5), y, 26) ? undefined : TABLE) },
  'a frame drawn around': {
    print: (x, y) => (isInside(x, y, 50) && !isInside(x, y, 53) ? BLACK_LINE : undefined),
  },
  'a thumb at the edge, squared paper, falling light': {
    light: (_, y) => fall((1000 * y) / height),
    print: (x, y) => {
      if ((x - width) ** 2 + (y - 250) ** 2 < 52 ** 2) return [190, 130, 105];
      return x % 23 === 0 || y % 23 === 0 ? BLUE_LINE : undefined;
    },
  },
};

/** A pen: its colour, and how light the ink of a digit may be to count (less makes it thicker). */
export interface Pen {
  readonly ink: Colour;
  readonly from: number;
}

export const PENS: readonly Pen[] = [
  { ink: [32, 32, 36], from: 90 },
  { ink: [38, 58, 150], from: 190 },
  { ink: [32, 32, 36], from: 190 },
  { ink: [38, 58, 150], from: 90 },
];

/** Where a digit lies on the sheet: its side, and its corner. */
export interface Place {
  readonly side: number;
  readonly top: number;
  readonly left: number;
}

/** A photograph of a sheet, with a digit on it or with none; `seed` decides the camera's noise. */
export function photograph(
  sheet: Sheet,
  seed: number,
  drawn?: { digit: PlanarImage; pen: Pen; place: Place },
): RawImage {
  const next = makeNoise(seed);
  const side = drawn?.place.side ?? 0;
  const large = drawn && resizeImage(drawn.digit, side, side);
  const pixels = new Uint8Array(3 * height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [u, v] = [x - (drawn?.place.left ?? 0), y - (drawn?.place.top ?? 0)];
      const isOn = u >= 0 && v >= 0 && u < side && v < side;
      const ink = large && drawn && isOn ? cover((large.pixels[v * side + u] as number) - drawn.pen.from) : 0;
      const under = sheet.print?.(x, y) ?? PAPER;
      const light = sheet.light?.(x, y) ?? 256;
      for (let c = 0; c < 3; c++) {
        const colour = ((256 - ink) * (under[c] as number) + ink * (drawn?.pen.ink[c] ?? 0)) >> 8;
        pixels[3 * (y * width + x) + c] = Math.max(0, Math.min(255, ((colour * light) >> 8) + next()));
      }
    }
  }
  return { channels: 3, height, width, pixels };
}

/** How much the pen covers, of 256, with a soft edge. */
const cover = (level: number): number => Math.max(0, Math.min(256, 128 + 6 * level));

/** A photograph out of focus, of a sheet twice as large as the digit: one blown up by `factor`, in light that falls to a corner. */
export function photographSoftly(digit: PlanarImage, seed: number, factor: number, isBlurred: boolean): RawImage {
  const next = makeNoise(seed);
  const side = factor * digit.width;
  const small = isBlurred ? resizeImage(digit, digit.height >> 1, digit.width >> 1) : digit;
  const large = resizeImage(small, side, side);
  const pixels = new Uint8Array(4 * side * side);
  for (let at = 0; at < pixels.length; at++) {
    const [x, y] = [at % (2 * side), Math.floor(at / (2 * side))];
    const [u, v] = [x - (side >> 1), y - (side >> 1)];
    const isOn = u >= 0 && v >= 0 && u < side && v < side;
    const ink = isOn ? (200 * (large.pixels[v * side + u] as number)) >> 8 : 0;
    const light = fall((250 * (x + y)) / side);
    pixels[at] = Math.max(0, Math.min(255, (((PAPER[0] * (256 - ink)) >> 8) * light) / 256 + next()));
  }
  return { channels: 1, height: 2 * side, width: 2 * side, pixels };
}

/** -6 to 6, mostly near 0. */
function makeNoise(seed: number): () => number {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (((state >>> 28) & 3) + ((state >>> 24) & 7) - ((state >>> 20) & 7) - ((state >>> 16) & 3)) >> 1;
  };
}

/** Photograph number `index` of forty: digit index / 4, each sheet four times, each pen ten times. */
export function planPhoto(index: number): { label: number; sheet: Sheet; name: string; pen: Pen; place: Place } {
  const label = index >> 2;
  const names = Object.keys(SHEETS);
  const name = names[(label + [0, 3, 5, 8][index & 3]!) % names.length] as string;
  const side = 112 + 15 * ((index * 7) % 5);
  const place = { side, top: 72 + ((index * 13) % 45), left: 98 + ((index * 29) % (210 - side)) };
  return { label, sheet: SHEETS[name] as Sheet, name, pen: PENS[(index + label) & 3] as Pen, place };
}
