/** Small data of a user's own in every form that is read, and how it may be asked for. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { encodePngImage } from '../../packages/core/dist/data/pictures/index.js';
import { writeBars } from './digit-bars.ts';

const SIDE = 12;

/** Writes `idx`, `other` (as idx, fewer), `pictures` and `table.csv` into a folder. @returns the path of a model for all but their sizes */
export function writeOwnData(folder: string): string {
  const at = (name: string): string => path.join(folder, name);
  for (const name of ['idx', 'pictures/a', 'pictures/b', 'other']) mkdirSync(at(name), { recursive: true });
  writeBars(at('other'), 180, 40);
  const pixelsOf = (seed: number, count: number): Uint8Array =>
    Uint8Array.from({ length: count }, (_, i) => (i * 37 + seed * 91 + (i >> 3) * seed) % 256);
  for (const [index, name] of ['a', 'b'].entries()) {
    for (let i = 0; i < 40; i++) {
      const image = { channels: 1, height: SIDE, width: 10, pixels: pixelsOf(2 * i + index, SIDE * 10) };
      writeFileSync(at(`pictures/${name}/${i}.png`), encodePngImage(image));
    }
  }
  const names = Array.from({ length: SIDE * 6 }, (_, i) => `p${i}`);
  const rows = Array.from({ length: 90 }, (_, i) => [...pixelsOf(i, SIDE * 6), i % 3].join(','));
  writeFileSync(at('table.csv'), [[...names, 'kind'].join(','), ...rows].join('\n'));
  return writeBars(at('idx'), 200, 40);
}

/** Flags by what they ask for; paths are in the folder of `writeOwnData`. */
export const ownData: Readonly<Record<string, readonly string[]>> = {
  'IDX files, with images held out': ['--data', 'idx', '--validation', '50'],
  'IDX files, resized': ['--data', 'idx', '--resize', '10'],
  'pictures of another size, with as many for a test set': [
    ...['--data', 'pictures', '--resize', '12', '--validation', '30'],
  ],
  'pictures, with the default test set': ['--data', 'pictures', '--resize', '12'],
  'a table with a form and a label column': [
    ...['--data', 'table.csv', '--label-column', 'kind', '--csv-shape', `1x${SIDE}x6`],
  ],
  'a table in colour, pixel by pixel': [
    ...['--data', 'table.csv', '--csv-shape', `3x${SIDE}x2`, '--csv-layout', 'hwc'],
  ],
};
