/** Writes images as PNG files. */
import { encode as encodePng } from 'fast-png';
import type { PlanarImage } from './planar-image.js';

/**
 * The PNG file of an image of 1 or 3 channels; of another number of channels the first is taken as grey.
 *
 * @param image planar: [channels][height][width]
 */
export function encodePngImage({ channels, height, width, pixels }: PlanarImage): Uint8Array {
  const plane = height * width;
  if (channels !== 3) return encodePng({ width, height, channels: 1, depth: 8, data: pixels.slice(0, plane) });
  const data = new Uint8Array(3 * plane);
  for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) data[3 * i + c] = pixels[c * plane + i] as number;
  return encodePng({ width, height, channels: 3, depth: 8, data });
}
