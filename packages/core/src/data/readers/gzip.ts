/** Gzip, told by content (1f 8b), never by a file's name. */

import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync } from 'node:zlib';
import { LockstepError } from '../../errors/errors.js';
import { countOf } from '../../text/count-text.js';

const gunzipAsync = promisify(gunzip);

/** Where a gzip file says how much it unpacks to (modulo 2^32), from its end. */
const SIZE_BYTES = 4;
/** More than this cannot come out of a byte. */
const MOST_RATIO = 1032;
const LEAST_CHUNK_BYTES = 1 << 16;

/** One piece of the size that the file claims: pieces would have to be joined, which copies all of them. */
function chunkBytes(bytes: Uint8Array, maxBytes = Number.POSITIVE_INFINITY): number {
  const end = new DataView(bytes.buffer, bytes.byteOffset + Math.max(0, bytes.length - SIZE_BYTES));
  const claimed = bytes.length < SIZE_BYTES ? 0 : end.getUint32(0, true);
  // A byte more than comes out, or a second piece is begun.
  return Math.max(LEAST_CHUNK_BYTES, Math.min(claimed, MOST_RATIO * bytes.length, maxBytes) + 1);
}

/**
 * `bytes` unpacked if they are gzip, else themselves.
 *
 * @param source the file's name, for errors
 * @param maxBytes unpacking stops with an error above this size
 * @throws LockstepError LOCKSTEP_DATA_GZIP when they are damaged, truncated or too large
 */
export async function gunzipIfPacked(bytes: Uint8Array, source: string, maxBytes?: number): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    const limit = maxBytes === undefined ? {} : { maxOutputLength: maxBytes };
    return await gunzipAsync(bytes, { chunkSize: chunkBytes(bytes, maxBytes), ...limit });
  } catch (error) {
    throw new LockstepError(
      'LOCKSTEP_DATA_GZIP',
      `${source} (${countOf(bytes.length, 'byte')}) cannot be unpacked: ${describeFailure(error, maxBytes)}. The file is damaged: download it again.`,
      { cause: error },
    );
  }
}

/** The first bytes of what `bytes` unpack to, or of `bytes` themselves: at most as many as come out of so many of them. */
export function peekIfPacked(bytes: Uint8Array, packedBytes = 1024): Uint8Array {
  const start = bytes.subarray(0, packedBytes);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return start;
  try {
    return gunzipSync(start, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return new Uint8Array(0);
  }
}

function describeFailure(error: unknown, maxBytes?: number): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_BUFFER_TOO_LARGE') return `it holds more than ${maxBytes ?? 'Node can hold:'} bytes`;
  if (code === 'Z_BUF_ERROR') return 'its gzip data ends too early';
  return message;
}
