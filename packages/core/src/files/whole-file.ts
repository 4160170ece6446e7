/**
 * Files and values of any size, in one piece. Node reads, writes and hashes less than 2 GiB at once: larger ones go piece by
 * piece here.
 */
import { constants } from 'node:buffer';
import type { Hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { totalmem } from 'node:os';

const PIECE_BYTES = 2 ** 30;
const TOO_LARGE = 'ERR_FS_FILE_TOO_LARGE';

/**
 * All bytes of a file. Throws what node:fs throws; for a file that is larger than any array of this Node or than the memory, an error with the
 * code ERR_FS_FILE_TOO_LARGE that says so.
 */
export function readWholeFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== TOO_LARGE) throw error;
  }
  return readInPieces(path, PIECE_BYTES);
}

/** The same, by pieces from the first byte on. */
export function readInPieces(path: string, pieceBytes: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = allocate(path, fstatSync(file).size);
    let read = 0;
    while (read < bytes.length) {
      const count = readSync(file, bytes, read, Math.min(pieceBytes, bytes.length - read), read);
      // it was cut meanwhile
      if (count === 0) return bytes.subarray(0, read);
      read += count;
    }
    return bytes;
  } finally {
    closeSync(file);
  }
}

function allocate(path: string, size: number): Buffer {
  if (size <= Math.min(constants.MAX_LENGTH, totalmem())) return Buffer.allocUnsafeSlow(size);
  const text = `${path} has ${(size / 1e9).toFixed(1)} GB, more than Node can hold in one piece here`;
  throw Object.assign(new Error(text), { code: TOO_LARGE });
}

/** Writes all of `bytes` where the file stands. Throws what node:fs throws. */
export function writeWhole(file: number, bytes: Uint8Array, pieceBytes = PIECE_BYTES): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, Math.min(pieceBytes, bytes.length - at));
}

/** Takes all of `bytes` into a hash. @returns the hash */
export function hashWhole(hash: Hash, bytes: Uint8Array, pieceBytes = PIECE_BYTES): Hash {
  for (let at = 0; at < bytes.length; at += pieceBytes) hash.update(bytes.subarray(at, at + pieceBytes));
  return hash;
}
