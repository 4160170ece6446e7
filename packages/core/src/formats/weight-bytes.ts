/** Float32 values as the little-endian bytes that every format of weights keeps them in, and the files with them. */
import { endianness } from 'node:os';
import { LockstepError } from '../errors/errors.js';
import { readWholeFile } from '../files/whole-file.js';

/** @throws LockstepError LOCKSTEP_WEIGHTS_READ */
export function readWeightsBytes(path: string): Buffer {
  try {
    return readWholeFile(path);
  } catch (error) {
    throw cannotRead(path, error);
  }
}

export function cannotRead(path: string, error: unknown): LockstepError {
  const text = `cannot read weights from ${path}: ${(error as Error).message}. Check the path given with --weights.`;
  return new LockstepError('LOCKSTEP_WEIGHTS_READ', text, { cause: error });
}

/** A copy of the values as little-endian bytes; the values may lie in shared memory. */
export function encodeFloats(values: Float32Array): Uint8Array {
  const bytes = Buffer.from(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return endianness() === 'LE' ? bytes : bytes.swap32();
}

/** The bytes copied into a new array, whatever their alignment. */
export function decodeFloats(bytes: Uint8Array): Float32Array {
  const copy = Buffer.from(bytes);
  if (endianness() === 'BE') copy.swap32();
  const values = new Float32Array(bytes.length / 4);
  new Uint8Array(values.buffer).set(copy);
  return values;
}
