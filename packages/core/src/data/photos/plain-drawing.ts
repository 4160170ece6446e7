/** Tells a clean picture of a drawing, such as a scan or a screenshot, from a photograph. */

import type { PlanarImage } from '../pictures/planar-image.js';
import { findInk, INK, listEdges } from '../pixels/ink.js';
import { findPaperLines, type Mask } from './paper-lines.js';
import { findPieces, isFrame, measureThickness, type Piece, sideOf } from './pieces.js';

/** Smaller pictures are no photographs: they are taken as they are. */
export const SMALLEST_PHOTO = 64;
/** From here on a pixel is full ink. */
const FULL_INK = 128;
/** Above this a pixel is not quite ground. */
const GROUND = 12;
/** Soft edges have at most so many times as many pixels as the ink within them. */
const SOFT_EDGES = 2;
/** No drawing covers more of its picture. */
const MOST_INK = 0.5;
/** What takes this share of the picture's longer side, or touches its edges, may be a sheet on a table, or a shadow, ... */
const LARGE = 0.35;
/** ... and is one when it is thicker, as a share of its own side, than strokes are. */
const THICKEST = 0.3;
/** Of the edges a drawing touches at most this part, or that one where it fills the picture: a shadow, or a table, takes more. */
const TOUCHED = 0.1;
const TOUCHED_IF_FULL = 0.35;
/** The part of the picture's sides from which on a drawing fills it. */
const FULL = 0.9;
/** The part of the ink that is one piece in a picture whose edges are touched. */
const ONE_PIECE = 0.8;

/**
 * Whether a picture with its contrast stretched is an even ground with a drawing on it: nothing at the edges (or one
 * drawing cut out closely), made of strokes, no frame around it, and little that is neither ground nor ink.
 */
export function isPlainDrawing(image: PlanarImage): boolean {
  const box = findInk(image);
  if (box === undefined) return false;
  const { height, width, pixels } = image;
  if (Math.min(height, width) < SMALLEST_PHOTO) return true;
  let [ink, soft] = [0, 0];
  for (const value of pixels) {
    if (value >= FULL_INK) ink++;
    else if (value > GROUND) soft++;
  }
  if (soft > SOFT_EDGES * ink || ink > MOST_INK * height * width) return false;
  const mask = { height, width, pixels: pixels.map((value) => (value >= INK ? 1 : 0)) };
  const pieces = findPieces(mask);
  const largest = pieces.reduce((most, piece) => (piece.places.length > most.places.length ? piece : most));
  const isFree = box.top > 0 && box.left > 0 && box.bottom < height && box.right < width;
  const mayBeThick = isFree && sideOf(largest) <= LARGE * Math.max(height, width);
  if (!mayBeThick && measureThickness([largest], width) > THICKEST * sideOf(largest)) return false;
  if (pieces.some((piece) => isFrame(piece, width))) return false;
  return isFree || isOneDrawing(mask, pieces, largest);
}

/** Whether what touches the edges is a drawing that was cut out closely, not what lies beside the paper. */
function isOneDrawing(mask: Mask, pieces: readonly Piece[], largest: Piece): boolean {
  const { height, width, pixels } = mask;
  const edges = listEdges(height, width);
  const touched = edges.reduce((sum, at) => sum + (pixels[at] as number), 0);
  const isFull = largest.bottom - largest.top >= FULL * height && largest.right - largest.left >= FULL * width;
  if (touched > (isFull ? TOUCHED_IF_FULL : TOUCHED) * edges.length) return false;
  const all = pieces.reduce((sum, { places }) => sum + places.length, 0);
  const lines = findPaperLines(mask).reduce((sum, isLine) => sum + isLine, 0);
  return largest.places.length >= ONE_PIECE * all && lines < (1 - ONE_PIECE) * all;
}
