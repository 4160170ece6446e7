/** For tests: small images, and folders of them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PlanarImage } from './pictures/planar-image.js';
import { encodePngImage } from './pictures/png-file.js';

/** An image whose pixels depend on their place and on `tone`; with 3 channels it has colours. */
export function makeImage(channels: number, height: number, width: number, tone = 0): PlanarImage {
  const pixels = Uint8Array.from({ length: channels * height * width }, (_, i) => (i * 29 + tone * 53) % 256);
  return { channels, height, width, pixels };
}

/** An image of one grey level. */
export function makePlain(level: number, height: number, width: number): PlanarImage {
  return { channels: 1, height, width, pixels: new Uint8Array(height * width).fill(level) };
}

export const makePng = (image: PlanarImage): Uint8Array => encodePngImage(image);

/** Writes files by their names within a folder, with the folders they are in. */
export function writeFiles(folder: string, files: Readonly<Record<string, Uint8Array | string>>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}

/** `a/0.png`, `a/1.png`, ..., `b/0.png`, ...: `count` images for each class. */
export function makeClassFiles(
  classNames: readonly string[],
  count: number,
  make: (index: number) => PlanarImage,
): Record<string, Uint8Array> {
  const names = classNames.flatMap((name) => Array.from({ length: count }, (_, index) => `${name}/${index}.png`));
  return Object.fromEntries(names.map((name, index) => [name, makePng(make(index))]));
}
