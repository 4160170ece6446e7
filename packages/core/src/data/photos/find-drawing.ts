/** Finds the drawing on a photograph or scan: ink on paper, without shadows, printed lines, frames and what is cut by the edge. */

import { invert, measureEdges, type PlanarImage } from '../pictures/planar-image.js';
import { INK, mayHaveInk, stretchContrast } from '../pixels/ink.js';
import { resizeImage } from '../pixels/resize.js';
import { findPaper, isDarkInk, type OnPaper, smooth } from './ground.js';
import { findPaperLines, type Mask } from './paper-lines.js';
import {
  findPieces,
  gapBetween,
  isFrame,
  joinBoxes,
  measureThickness,
  type Piece,
  sideOf,
  touchesEdge,
} from './pieces.js';
import { isPlainDrawing, SMALLEST_PHOTO } from './plain-drawing.js';
import { thicken } from './thicken.js';

export interface Drawing {
  /** Grey, light ink on a ground of 0. */
  readonly image: PlanarImage;
  /** Whether the picture has dark ink on a light ground. */
  readonly isInverted: boolean;
  /** What was left out, for people. */
  readonly changes: readonly string[];
}

/** Longer side at which a photograph is looked at. */
const LOOKED_AT = 400;
/** Windows in which the paper is looked for, as shares of the longer side: the first one that is wider than the strokes holds. */
const WINDOWS = [0.16, 0.4];
/** Strokes are at most this share of the window thick. */
const STROKE = 0.7;
/** Darkness from which on something may be ink; less is texture of the paper. */
const FAINT = 24;
/** A drawing takes at least this share of the longer side. */
const SMALLEST = 0.05;
/** Pieces with less ink than this share of the largest one's, or smaller than that share of its side, are specks. */
const SPECK = { ink: 0.02, side: 0.1 };
/** Pieces belong together when the gap is at most this share of the largest one's side. */
const TOGETHER = 0.4;
/** What has this share of the largest one's ink is a drawing too. */
const ANOTHER = 0.25;

/**
 * The drawing of a grey picture; undefined when there is none. A clean picture, an even ground with nothing at its edges, is
 * taken whole, with its contrast stretched.
 */
export function findDrawing(image: PlanarImage): Drawing | undefined {
  const isPhoto = Math.min(image.height, image.width) >= SMALLEST_PHOTO;
  if (!mayHaveInk(image)) return undefined;
  const isInverted = measureEdges(image) > 0.5;
  const plain = stretchContrast(isInverted ? invert(image) : image);
  if (isPlainDrawing(plain)) return { image: plain, isInverted, changes: [] };
  return isPhoto ? findOnPaper(image) : undefined;
}

function findOnPaper(image: PlanarImage): Drawing | undefined {
  const scale = Math.min(1, LOOKED_AT / Math.max(image.height, image.width));
  const toSide = (side: number): number => Math.max(1, Math.floor(side * scale + 0.5));
  const small = smooth(resizeImage(image, toSide(image.height), toSide(image.width)));
  const isInverted = isDarkInk(small);
  for (const share of WINDOWS) {
    const window = Math.floor(share * Math.max(small.height, small.width));
    const found = findInked(findPaper(small, isInverted, window));
    const isWithin = found !== undefined && measureThickness(found.pieces, small.width) <= STROKE * window;
    if (isWithin) return { image: thicken(found.image, found.pieces), isInverted, changes: found.changes };
  }
  return undefined;
}

/** What is drawn on even paper, and the pieces it is made of. */
function findInked(sheet: OnPaper) {
  const { darkness } = sheet;
  const lines = findPaperLines(maskFrom(darkness, FAINT));
  const inked = { ...darkness, pixels: darkness.pixels.map((value, i) => (lines[i] === 1 ? 0 : value)) };
  const mask = maskFrom(inked, Math.max(INK, findThreshold(inked.pixels)));
  const all = findPieces(mask).map((piece) => weigh(piece, inked));
  const cut = all.filter((piece) => touchesEdge(piece, mask));
  const frames = all.filter((piece) => !cut.includes(piece) && isFrame(piece, mask.width));
  const inner = keepInk(
    all.filter((piece) => !cut.includes(piece) && !frames.includes(piece)),
    sheet,
  );
  const pieces = gather(inner);
  const largest = pieces[0];
  if (largest === undefined) return undefined;
  if (sideOf(joinBoxes(pieces)) < SMALLEST * Math.max(mask.height, mask.width)) return undefined;
  const others = inner.filter((piece) => !pieces.includes(piece) && piece.ink >= ANOTHER * largest.ink);
  const changes = [
    'taken for a photo: light evened out',
    ...(lines.includes(1) ? ['lines of the paper left out'] : []),
    ...(frames.length > 0 ? ['a frame left out'] : []),
    ...(cut.some(({ ink }) => ink >= SPECK.ink * largest.ink) ? ['what touches the edge left out'] : []),
    ...(others.length > 0 ? [`${others.length + 1} drawings found, the one with the most ink taken`] : []),
  ];
  return { image: keepOnly(inked, pieces), pieces, changes };
}

const maskFrom = ({ height, width, pixels }: PlanarImage, from: number): Mask => ({
  height,
  width,
  pixels: pixels.map((value) => (value >= from ? 1 : 0)),
});

/** Between the faint and the dark of what may be ink: where the two differ most from one another (Otsu). */
function findThreshold(darkness: Uint8Array): number {
  const counts = new Array<number>(256).fill(0);
  for (const value of darkness) if (value >= FAINT) counts[value]!++;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const all = counts.reduce((sum, count, value) => sum + count * value, 0);
  let [best, threshold, below, belowSum] = [-1, FAINT, 0, 0];
  for (let value = FAINT; value < 255; value++) {
    below += counts[value] as number;
    belowSum += value * (counts[value] as number);
    const above = total - below;
    if (below === 0 || above === 0) continue;
    const between = belowSum / below - (all - belowSum) / above;
    const apart = below * above * between * between;
    if (apart > best) [best, threshold] = [apart, value + 1];
  }
  return threshold;
}

/** Of a piece's outline this share is sharp: within so many pixels it is lighter by that share of what lies up to the paper. */
const SHARP = { share: 0.75, within: 3, rise: 0.5 };
/** A soft stroke's thickness is at most this share of its side, and its full ink at least so dark: a spot of shadow is rounder, or lighter. */
const SOFT_STROKE = { thick: 0.2, dark: 96 };

/**
 * The pieces that were drawn, the one with the most ink first: what ends as sharply as a pen's ink does; strokes out of focus,
 * soft only for their thickness; and, where such a stroke has the most ink, parts as soft as it, such as dots, of any shape.
 */
function keepInk(pieces: readonly WeighedPiece[], sheet: OnPaper): WeighedPiece[] {
  const sharp = pieces.filter((piece) => isSharp(piece, sheet, SHARP.within));
  const dark = pieces.filter(
    (piece) => !sharp.includes(piece) && measureFullInk(piece.places, sheet.darkness) >= SOFT_STROKE.dark,
  );
  const strokes = dark.filter((piece) => {
    const thickness = thicknessOf(piece, sheet);
    return thickness <= SOFT_STROKE.thick * sideOf(piece) && isSharp(piece, sheet, Math.floor(thickness / 2));
  });
  const drawn = sortByInk([...sharp, ...strokes]);
  const largest = drawn[0];
  if (largest === undefined || sharp.includes(largest)) return drawn;
  const softness = Math.floor(thicknessOf(largest, sheet));
  const parts = dark.filter(
    (piece) => !strokes.includes(piece) && piece.ink <= largest.ink && isSharp(piece, sheet, softness),
  );
  return [...drawn, ...sortByInk(parts)];
}

const thicknessOf = (piece: Piece, { image }: OnPaper): number => measureThickness([piece], image.width);

/** Whether ink ends in the picture itself within so many pixels of the outline. */
function isSharp({ places }: Piece, { image: { height, width, pixels }, paper }: OnPaper, within: number): boolean {
  const inside = new Set(places);
  const outline = places.filter((at) => [at - 1, at + 1, at - width, at + width].some((other) => !inside.has(other)));
  const sharp = outline.filter((at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    const own = pixels[at] as number;
    let lightest = own;
    for (let v = Math.max(0, y - within); v <= Math.min(height - 1, y + within); v++) {
      for (let u = Math.max(0, x - within); u <= Math.min(width - 1, x + within); u++) {
        lightest = Math.max(lightest, pixels[v * width + u] as number);
      }
    }
    return lightest - own >= SHARP.rise * ((paper[at] as number) - own);
  });
  return sharp.length >= SHARP.share * outline.length;
}

/** The share of a drawing's pixels that is not darker than full ink. */
const FULL = 0.7;

/** The commonest ink at these places. */
function measureFullInk(places: readonly number[], { pixels }: PlanarImage): number {
  const values = places.map((at) => pixels[at] as number).sort((a, b) => a - b);
  return values[Math.floor(FULL * (values.length - 1))] as number;
}

interface WeighedPiece extends Piece {
  /** Sum of its darkness. */
  readonly ink: number;
}

const weigh = (piece: Piece, { pixels }: PlanarImage): WeighedPiece => ({
  ...piece,
  ink: piece.places.reduce((sum, at) => sum + (pixels[at] as number), 0),
});

const sortByInk = (pieces: readonly WeighedPiece[]): WeighedPiece[] => [...pieces].sort((a, b) => b.ink - a.ink);

/** The first piece, which has the most ink, then those that belong to it. */
function gather([largest, ...rest]: readonly WeighedPiece[]): WeighedPiece[] {
  if (largest === undefined) return [];
  const gathered = [largest];
  const isPart = (piece: WeighedPiece): boolean =>
    !gathered.includes(piece) &&
    piece.ink >= SPECK.ink * largest.ink &&
    sideOf(piece) >= SPECK.side * sideOf(largest) &&
    gathered.some((other) => gapBetween(piece, other) <= TOGETHER * sideOf(largest));
  for (let next = rest.find(isPart); next !== undefined; next = rest.find(isPart)) gathered.push(next);
  return gathered;
}

/** How far beyond a piece its soft edge goes, in pixels. */
const SOFT = 2;

/** Only these pieces with their soft edges; the commonest ink becomes 255. */
function keepOnly(image: PlanarImage, pieces: readonly Piece[]): PlanarImage {
  const { height, width, pixels } = image;
  const places = pieces.flatMap((piece) => [...piece.places]);
  const full = measureFullInk(places, image);
  const kept = new Uint8Array(height * width);
  for (const at of places) {
    const [x, y] = [at % width, Math.floor(at / width)];
    for (let v = Math.max(0, y - SOFT); v <= Math.min(height - 1, y + SOFT); v++) {
      for (let u = Math.max(0, x - SOFT); u <= Math.min(width - 1, x + SOFT); u++) {
        kept[v * width + u] = Math.min(255, Math.floor((255 * (pixels[v * width + u] as number)) / full));
      }
    }
  }
  return { channels: 1, height, width, pixels: kept };
}
