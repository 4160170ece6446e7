/** Rows of images side by side, as one PNG. */
import { type Dataset, measureWhite, type PlanarImage, resizeImage, withChannels } from '@lockstep/core/data';
import { encodePngImage } from '@lockstep/core/data/pictures';

const SCALE = 3;
const GAP = 6;
const WHITE = 255;
/** A cell's largest side in pixels of the sheet; larger images are made smaller. */
const LARGEST = 96;
/** Images of a class. */
const SAMPLES = 10;

/**
 * @param rows images of one size, the longest row sets the width. At least one image; where one is missing its place is white.
 * @param size how many times as large, and the largest side of a cell
 */
export function drawSheet(
  rows: readonly (readonly (PlanarImage | undefined)[])[],
  { times = SCALE, largest = LARGEST } = {},
): Uint8Array {
  const images = rows.flat().flatMap((image) => image ?? []);
  const [first] = images as [PlanarImage];
  const scale = Math.min(times, largest / Math.max(first.height, first.width));
  const [cellHeight, cellWidth] = [first.height, first.width].map((side) => Math.max(1, Math.round(scale * side))) as [
    number,
    number,
  ];
  const width = GAP + (cellWidth + GAP) * Math.max(...rows.map(({ length }) => length));
  const height = GAP + (cellHeight + GAP) * rows.length;
  const channels = images.some((image) => image.channels === 3) ? 3 : 1;
  const pixels = new Uint8Array(channels * height * width).fill(WHITE);
  for (const [row, list] of rows.entries()) {
    for (const [column, image] of list.entries()) {
      if (image === undefined) continue;
      const cell = enlarge(withChannels(image, channels), cellHeight, cellWidth);
      const from = (GAP + row * (cellHeight + GAP)) * width + GAP + column * (cellWidth + GAP);
      for (let c = 0; c < channels; c++) {
        for (let y = 0; y < cellHeight; y++) {
          const line = (c * cellHeight + y) * cellWidth;
          pixels.set(cell.subarray(line, line + cellWidth), c * height * width + from + y * width);
        }
      }
    }
  }
  return encodePngImage({ channels, height, width, pixels });
}

/** Pixels as squares where they grow, so that a person sees what the network sees. */
function enlarge(image: PlanarImage, height: number, width: number): Uint8Array {
  if (image.height > height || image.width > width) return resizeImage(image, height, width).pixels;
  const pixels = new Uint8Array(image.channels * height * width);
  for (let i = 0; i < pixels.length; i++) {
    const [x, y, c] = [i % width, Math.floor(i / width) % height, Math.floor(i / (width * height))];
    const [fromX, fromY] = [Math.floor((x * image.width) / width), Math.floor((y * image.height) / height)];
    pixels[i] = image.pixels[(c * image.height + fromY) * image.width + fromX] as number;
  }
  return pixels;
}

/** The first training images of each class: a row for a class, in their order; a class without images has an empty row. */
export function drawSamples(dataset: Dataset): Uint8Array {
  const { channels, height, width, classes, train } = dataset;
  const bytes = channels * height * width;
  const white = dataset.white ?? measureWhite(train);
  const rows = Array.from({ length: classes }, (): PlanarImage[] => []);
  for (const [index, label] of train.labels.entries()) {
    const row = rows[label] as PlanarImage[];
    if (row.length === SAMPLES) continue;
    const own = train.images.subarray(index * bytes, (index + 1) * bytes);
    const light = own.map((value) => Math.min(WHITE, Math.round((value * WHITE) / white)));
    // of channels that are no colours the first is shown
    const shown =
      channels === 3 ? { channels, pixels: light } : { channels: 1, pixels: light.slice(0, height * width) };
    row.push({ ...shown, height, width });
  }
  return drawSheet(rows);
}
