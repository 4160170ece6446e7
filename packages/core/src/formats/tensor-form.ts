/** Brings the tensors of another program's file to the form of a model's: names without a wrapper's prefix, float32. */

import { endianness } from 'node:os';
import { countOf } from '../text/count-text.js';
import type { Tensor } from './safetensors.js';

/** Takes lines for people about what was done to a file. */
export type Tell = (text: string) => void;

/** What PyTorch's DistributedDataParallel, torch.compile and Lightning put before every name. */
const WRAPPER = /^(?:module|_orig_mod|model)\./;

/**
 * Takes the prefix of a wrapper off where more names are then those of the model, and widens F16 and BF16 to float32
 * (exactly); F64 is rounded to the nearest float32. Both are told.
 *
 * @param expected names of the model's tensors
 * @param source the file's name, for what is told
 */
export function adoptTensors(
  tensors: readonly Tensor[],
  expected: ReadonlySet<string>,
  source: string,
  tell: Tell,
): Tensor[] {
  const prefix = findPrefix(tensors, expected);
  if (prefix !== '') tell(`${source}: the prefix ${prefix} was taken off its names`);
  const converted = new Map<string, number>();
  const adopted = tensors.map((tensor) => {
    const name = tensor.name.startsWith(prefix) ? tensor.name.slice(prefix.length) : tensor.name;
    const read = READERS[tensor.dtype];
    if (read === undefined) return { ...tensor, name };
    converted.set(tensor.dtype, (converted.get(tensor.dtype) ?? 0) + 1);
    return { ...tensor, name, dtype: 'F32', bytes: toFloat32(tensor.bytes, read) };
  });
  for (const [dtype, count] of converted) {
    tell(`${source}: ${countOf(count, 'tensor')} of ${dtype} ${dtype === 'F64' ? 'rounded' : 'widened'} to float32`);
  }
  return adopted;
}

/** Of the prefixes in the file, and none, the one without which most names are the model's. */
function findPrefix(tensors: readonly Tensor[], expected: ReadonlySet<string>): string {
  const prefixes = new Set(['', ...tensors.flatMap(({ name }) => listPrefixes(name))]);
  let best = { prefix: '', known: 0 };
  for (const prefix of prefixes) {
    const known = tensors.filter(
      ({ name }) => name.startsWith(prefix) && expected.has(name.slice(prefix.length)),
    ).length;
    if (known > best.known) best = { prefix, known };
  }
  return best.prefix;
}

/** `module.`, `module._orig_mod.` of `module._orig_mod.conv1.weight`. */
function listPrefixes(name: string): string[] {
  const found: string[] = [];
  for (let at = 0; ; ) {
    const length = WRAPPER.exec(name.slice(at))?.[0].length;
    if (length === undefined) return found;
    at += length;
    found.push(name.slice(0, at));
  }
}

interface Reader {
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number;
}

const READERS: Readonly<Record<string, Reader>> = {
  F16: { bytes: 2, read: (view, at) => readHalf(view.getUint16(at, true)) },
  BF16: { bytes: 2, read: (view, at) => readBrain(view.getUint16(at, true)) },
  F64: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};

/** The tensor's values as little-endian float32. */
function toFloat32(bytes: Uint8Array, { bytes: width, read }: Reader): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = Float32Array.from({ length: bytes.length / width }, (_, index) => read(view, index * width));
  const converted = Buffer.from(values.buffer);
  return endianness() === 'LE' ? converted : converted.swap32();
}

/** IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction. */
function readHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (0x400 + fraction) * 2 ** (exponent - 25);
}

const word = new DataView(new ArrayBuffer(4));

/** bfloat16: the upper half of a float32. */
function readBrain(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}
