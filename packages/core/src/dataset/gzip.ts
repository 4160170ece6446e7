/** Gzip, told by content (1f 8b), never by a file's name. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { LockstepError } from '../errors.js';

const gunzipAsync = promisify(gunzip);

/** The default 16 kB would make 3,000 chunks of MNIST's training images. */
const CHUNK_BYTES = 1 << 20;

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
    return await gunzipAsync(bytes, { chunkSize: CHUNK_BYTES, ...limit });
  } catch (error) {
    throw new LockstepError(
      'LOCKSTEP_DATA_GZIP',
      `${source} (${bytes.length} bytes) cannot be unpacked: ${describeFailure(error, maxBytes)}. The file is damaged: download it again.`,
      { cause: error },
    );
  }
}

function describeFailure(error: unknown, maxBytes?: number): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_BUFFER_TOO_LARGE') return `it holds more than ${maxBytes ?? 'Node can hold:'} bytes`;
  if (code === 'Z_BUF_ERROR') return 'its gzip data ends too early';
  return message;
}
