/** One split of a made-up dataset, as the pair of IDX files that the program reads. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { encodeIdxImages, encodeIdxLabels } from '../../packages/core/dist/data/readers/index.js';

/** @param pixels [image][row][column]: grey squares of `side`, one for each label */
export function writeIdxSplit(
  folder: string,
  stem: 'train' | 't10k',
  side: number,
  pixels: Uint8Array,
  labels: Uint8Array,
): void {
  const images = { count: labels.length, channels: 1, height: side, width: side, pixels };
  writeFileSync(path.join(folder, `${stem}-images-idx3-ubyte`), encodeIdxImages(images));
  writeFileSync(path.join(folder, `${stem}-labels-idx1-ubyte`), encodeIdxLabels(labels));
}
