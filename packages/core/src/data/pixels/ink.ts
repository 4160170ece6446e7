/** Drawn digits and the like: light ink on a dark ground, with its centre of mass in the middle of the image, as in MNIST. */
import type { Dataset } from '../dataset/dataset.js';
import type { PlanarImage } from '../pictures/planar-image.js';
import { resizeImage } from './resize.js';

/** Pixels from here on are ink, in an image whose ground is 0; on another, what differs from it by so much. */
export const INK = 40;
/** Images that are looked at. */
const SAMPLES = 1000;
/** How far from the middle, in pixels, the centres of mass may lie on average. */
const CENTRED_WITHIN = 1;
/** A ground with more light than this (0 to 1) is not dark. */
const DARK = 0.05;

/** Whether a grey image, whatever its ground, has values so far apart that there may be ink on it. */
export function mayHaveInk({ pixels }: PlanarImage): boolean {
  const lightest = pixels.reduce((most, value) => Math.max(most, value), 0);
  return lightest - pixels.reduce((least, value) => Math.min(least, value), 255) >= INK;
}

/** Rows [top, bottom) and columns [left, right). */
export interface InkBox {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** The smallest box with all ink of a grey image on a dark ground; undefined when there is none. */
export function findInk({ height, width, pixels }: PlanarImage): InkBox | undefined {
  let [top, bottom, left, right] = [height, 0, width, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((pixels[y * width + x] as number) < INK) continue;
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
    }
  }
  return bottom > top ? { top, bottom, left, right } : undefined;
}

/** Centre of mass in pixels from the upper left corner; the middle of an image without light. */
export function findCentre({ height, width, pixels }: PlanarImage): { readonly x: number; readonly y: number } {
  let [mass, x, y] = [0, 0, 0];
  for (let i = 0; i < height * width; i++) {
    const value = pixels[i] as number;
    mass += value;
    x += value * ((i % width) + 0.5);
    y += value * (Math.floor(i / width) + 0.5);
  }
  return mass > 0 ? { x: x / mass, y: y / mass } : { x: width / 2, y: height / 2 };
}

/**
 * How much of the image's side the longer side of the ink takes, on average, in data whose images are grey, dark at the
 * edges and centred by mass (20/28 for MNIST); undefined for other data, and for images without a drawing.
 *
 * @param border mean of the edges, as `measureBorder` has it
 * @param white the pixel value that stands for white
 */
export function measureInk(
  { train, channels, height, width }: Dataset,
  border: number,
  white: number,
): number | undefined {
  if (channels !== 1 || border > DARK) return undefined;
  const count = Math.min(train.count, SAMPLES);
  let [drawings, extent, distance] = [0, 0, 0];
  for (let n = 0; n < count; n++) {
    const own = train.images.subarray(n * height * width, (n + 1) * height * width);
    const pixels = white === 255 ? own : own.map((value) => Math.min(255, Math.round((value * 255) / white)));
    const image = { channels, height, width, pixels };
    const box = findInk(image);
    if (box === undefined) continue;
    drawings++;
    const centre = findCentre(image);
    distance += Math.max(Math.abs(centre.x - width / 2), Math.abs(centre.y - height / 2));
    extent += Math.max((box.bottom - box.top) / height, (box.right - box.left) / width);
  }
  return drawings > 0 && distance / drawings <= CENTRED_WITHIN ? extent / drawings : undefined;
}

/** Spreads the values so that the ground, the commonest edge value, becomes 0 and the lightest pixel 255. */
export function stretchContrast(image: PlanarImage): PlanarImage {
  const { height, width, pixels } = image;
  const edges = listEdges(height, width)
    .map((at) => pixels[at] as number)
    .sort((a, b) => a - b);
  const ground = edges[edges.length >> 1] as number;
  const top = pixels.reduce((most, value) => Math.max(most, value), 0);
  if (top - ground < INK) return image;
  const scale = 255 / (top - ground);
  return { ...image, pixels: pixels.map((value) => Math.max(0, Math.floor((value - ground) * scale + 0.5))) };
}

/** Places of the pixels along the four edges of a picture. */
export function listEdges(height: number, width: number): number[] {
  const all = Array.from({ length: height * width }, (_, at) => at);
  return all.filter((at) => at < width || at >= (height - 1) * width || at % width === 0 || at % width === width - 1);
}

/** The ink of a grey image on a dark ground, scaled to `extent` of the new image's sides and centred by mass. */
export function centreInk(image: PlanarImage, height: number, width: number, extent: number): PlanarImage {
  const box = findInk(image);
  const pixels = new Uint8Array(height * width);
  if (box === undefined) return { channels: 1, height, width, pixels };
  const ink = crop(image, box);
  const scale = Math.min((extent * height) / ink.height, (extent * width) / ink.width);
  const toSide = (side: number): number => Math.max(1, Math.floor(side * scale + 0.5));
  const small = resizeImage(ink, toSide(ink.height), toSide(ink.width));
  const centre = findCentre(small);
  const place = (middle: number, at: number, room: number): number =>
    Math.min(Math.max(0, room), Math.max(0, Math.floor(middle - at + 0.5)));
  const top = place(height / 2, centre.y, height - small.height);
  const left = place(width / 2, centre.x, width - small.width);
  for (let y = 0; y < small.height; y++) {
    pixels.set(small.pixels.subarray(y * small.width, (y + 1) * small.width), (top + y) * width + left);
  }
  return { channels: 1, height, width, pixels };
}

function crop({ width, pixels }: PlanarImage, { top, bottom, left, right }: InkBox): PlanarImage {
  const cropped = new Uint8Array((bottom - top) * (right - left));
  for (let y = top; y < bottom; y++) {
    cropped.set(pixels.subarray(y * width + left, y * width + right), (y - top) * (right - left));
  }
  return { channels: 1, height: bottom - top, width: right - left, pixels: cropped };
}
