/** Strokes of a thin pen made as thick as those of a felt pen, which a network has learned. */
import type { PlanarImage } from '../pictures/planar-image.js';
import { joinBoxes, measureThickness, type Piece, sideOf } from './pieces.js';

/** Thickness of a stroke as a share of the drawing's longer side, at least. */
const THICK = 0.1;

/** Widens the ink, by the lightest pixel around, until strokes are thick enough. */
export function thicken(image: PlanarImage, pieces: readonly Piece[]): PlanarImage {
  const side = sideOf(joinBoxes(pieces));
  const missing = THICK * side - measureThickness(pieces, image.width);
  let thick = image;
  for (let added = 0; added + 1 < missing; added += 2) thick = widen(thick);
  return thick;
}

/** One pixel more on every side: above, below, left and right. */
function widen({ height, width, pixels }: PlanarImage): PlanarImage {
  const wider = pixels.slice();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const around = [
        y > 0 ? at - width : at,
        y < height - 1 ? at + width : at,
        x > 0 ? at - 1 : at,
        x < width - 1 ? at + 1 : at,
      ];
      for (const other of around) wider[at] = Math.max(wider[at] as number, pixels[other] as number);
    }
  }
  return { channels: 1, height, width, pixels: wider };
}
