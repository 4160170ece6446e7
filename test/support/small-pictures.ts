/** A hundred pictures of five classes, in a folder for each. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { encodePngImage } from '../../packages/core/dist/data/pictures/index.js';

export function writeSmallPictures(folder: string): void {
  for (const [i, pixel] of Array.from({ length: 100 }, (_, i) => [i, (i * 53) % 256] as const)) {
    const file = path.join(folder, `${i % 5}/${i}.png`);
    mkdirSync(path.dirname(file), { recursive: true });
    const pixels = new Uint8Array(784).fill(pixel, 0, 28 * (1 + (i % 5)));
    writeFileSync(file, encodePngImage({ channels: 1, height: 28, width: 28, pixels }));
  }
}
