/** The pieces of a picture in black and white: pixels that touch one another, at sides or corners. */
import type { InkBox } from '../pixels/ink.js';
import type { Mask } from './paper-lines.js';

export interface Piece extends InkBox {
  /** Places of its pixels, row after row: y width + x. */
  readonly places: readonly number[];
}

export function findPieces({ height, width, pixels }: Mask): Piece[] {
  const isSeen = new Uint8Array(height * width);
  const pieces: Piece[] = [];
  for (let start = 0; start < pixels.length; start++) {
    if (pixels[start] !== 1 || isSeen[start] === 1) continue;
    const places = [start];
    isSeen[start] = 1;
    for (let next = 0; next < places.length; next++) {
      const at = places[next] as number;
      const [x, y] = [at % width, Math.floor(at / width)];
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          const other = v * width + u;
          if (pixels[other] !== 1 || isSeen[other] === 1) continue;
          isSeen[other] = 1;
          places.push(other);
        }
      }
    }
    pieces.push({ places, ...boxOf(places, width) });
  }
  return pieces;
}

/** The smallest box around places. */
function boxOf(places: readonly number[], width: number): InkBox {
  let [top, bottom, left, right] = [Number.POSITIVE_INFINITY, 0, Number.POSITIVE_INFINITY, 0];
  for (const at of places) {
    const [x, y] = [at % width, Math.floor(at / width)];
    top = Math.min(top, y);
    bottom = Math.max(bottom, y + 1);
    left = Math.min(left, x);
    right = Math.max(right, x + 1);
  }
  return { top, bottom, left, right };
}

export const sideOf = ({ top, bottom, left, right }: InkBox): number => Math.max(bottom - top, right - left);

export const touchesEdge = ({ top, bottom, left, right }: InkBox, { height, width }: Mask): boolean =>
  top === 0 || left === 0 || bottom === height || right === width;

/** Of the sides of a frame, how much is drawn, and how thick at most, as a share of its longer side. */
const FRAME = { drawn: 0.85, band: 0.08, thick: 0.06 };

/** Whether a piece is a rectangle drawn around something: all along its box, and thin. */
export function isFrame(piece: Piece, width: number): boolean {
  const { places, top, bottom, left, right } = piece;
  const [tall, wide] = [bottom - top, right - left];
  const band = Math.floor(FRAME.band * Math.max(tall, wide)) + 1;
  if (2 * band >= Math.min(tall, wide)) return false;
  if (places.length > FRAME.thick * Math.max(tall, wide) * 2 * (tall + wide)) return false;
  const sides = [new Set<number>(), new Set<number>(), new Set<number>(), new Set<number>()] as const;
  for (const at of places) {
    const [x, y] = [at % width, Math.floor(at / width)];
    if (y - top < band) sides[0].add(x);
    if (bottom - 1 - y < band) sides[1].add(x);
    if (x - left < band) sides[2].add(y);
    if (right - 1 - x < band) sides[3].add(y);
  }
  return sides.every(({ size }, side) => size >= FRAME.drawn * (side < 2 ? wide : tall));
}

/** The box around boxes. */
export const joinBoxes = (boxes: readonly InkBox[]): InkBox => ({
  top: Math.min(...boxes.map(({ top }) => top)),
  bottom: Math.max(...boxes.map(({ bottom }) => bottom)),
  left: Math.min(...boxes.map(({ left }) => left)),
  right: Math.max(...boxes.map(({ right }) => right)),
});

/** Pixels between two boxes, along the side on which they are further apart; 0 when they overlap. */
export const gapBetween = (a: InkBox, b: InkBox): number =>
  Math.max(0, b.left - a.right, a.left - b.right, b.top - a.bottom, a.top - b.bottom);

/** Thickness of strokes, which are much longer than thick: twice their area by their outline. */
export function measureThickness(pieces: readonly Piece[], width: number): number {
  const inside = new Set(pieces.flatMap(({ places }) => places));
  let outline = 0;
  for (const at of inside) {
    for (const other of [at - 1, at + 1, at - width, at + width]) if (!inside.has(other)) outline++;
  }
  return (2 * inside.size) / outline;
}
