/** Texts that people and other programs leave in files: models, settings, notes, secrets. */
import { closeSync, openSync, readSync } from 'node:fs';
import { MAX_TEXT_BYTES } from './json-text.js';

const PIECE_BYTES = 1 << 16;

/**
 * The text of a file, or of a pipe. Throws what node:fs throws, and an error with the code EFBIG for one that is larger than
 * any such text: nothing is read beyond that, since a device may have no end.
 */
export function readText(path: string): string {
  const file = openSync(path, 'r');
  try {
    const pieces: Buffer[] = [];
    for (let bytes = 0; ; ) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const count = readSync(file, piece, 0, PIECE_BYTES, null);
      if (count === 0) return Buffer.concat(pieces).toString('utf8');
      bytes += count;
      if (bytes > MAX_TEXT_BYTES) throw tooLarge(path);
      pieces.push(piece.subarray(0, count));
    }
  } finally {
    closeSync(file);
  }
}

function tooLarge(path: string): Error {
  const text = `${path} has more than ${MAX_TEXT_BYTES >> 20} MiB, so it is no such file`;
  return Object.assign(new Error(text), { code: 'EFBIG' });
}
