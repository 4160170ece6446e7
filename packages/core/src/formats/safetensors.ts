/**
 * The safetensors format (github.com/huggingface/safetensors): 8 bytes with the header's length (little-endian), a JSON
 * header padded with spaces, then the tensors' bytes, little-endian and row-major, without gaps:
 *
 *     { "__metadata__": { "k": "v" }, "fc1.weight": { "dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24] }, ... }
 */

import { z } from 'zod';
import { LockstepError } from '../errors/errors.js';
import { parseJson } from '../files/json-text.js';
import { countOf } from '../text/count-text.js';
import { describeForeign } from './foreign-file.js';

/** A named tensor; `bytes` are little-endian, row-major. */
export interface Tensor {
  readonly name: string;
  /** F32, I64, ... */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export interface SafetensorsFile {
  readonly tensors: readonly Tensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

const LENGTH_BYTES = 8;
/** The reference implementation's limit. */
const MAX_HEADER_BYTES = 100_000_000;

const DTYPE_BYTES: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
};

/** The parts of a file, to be written one after the other: length and header, then each tensor's bytes in the order given. */
export function encodeSafetensors({ tensors, metadata }: SafetensorsFile): Uint8Array[] {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header[METADATA] = metadata;
  let offset = 0;
  for (const { name, dtype, shape, bytes } of tensors) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const start = new Uint8Array(LENGTH_BYTES + headerBytes).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(headerBytes), true);
  start.set(json, LENGTH_BYTES);
  return [start, ...tensors.map((tensor) => tensor.bytes)];
}

/**
 * Reads a file's bytes, in the order of the tensors' offsets. The tensors' bytes are views into `file`.
 *
 * @param source the file's name, for errors
 * @throws LockstepError LOCKSTEP_WEIGHTS_FORMAT naming the field or offset that is wrong, or what other form of file it is
 */
export function decodeSafetensors(file: Uint8Array, source: string): SafetensorsFile {
  const fail: Fail = (text) => {
    const known = describeForeign(file, source);
    throw new LockstepError(
      'LOCKSTEP_WEIGHTS_FORMAT',
      known === undefined ? `${source} is not a safetensors file: ${text}.` : `${source} ${known}`,
    );
  };
  const headerBytes = readHeaderLength(file, fail);
  const header = parseHeader(file.subarray(LENGTH_BYTES, LENGTH_BYTES + headerBytes), fail);
  const data = file.subarray(LENGTH_BYTES + headerBytes);
  const { [METADATA]: metadata = {}, ...entries } = header;
  if (!isMetadata(metadata)) return fail(`${METADATA} must map strings to strings`);
  const tensors = Object.entries(entries).map(([name, entry]) => readTensor(name, entry, data, fail));
  checkLayout(tensors, data, fail);
  return { tensors, metadata };
}

const METADATA = '__metadata__';

type Fail = (text: string) => never;

function readHeaderLength(file: Uint8Array, fail: Fail): number {
  if (file.length < LENGTH_BYTES)
    return fail(`it has ${countOf(file.length, 'byte')}, the header's length alone takes 8`);
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    return fail(`its header claims ${length} bytes, more than the limit of ${MAX_HEADER_BYTES}`);
  }
  const available = file.length - LENGTH_BYTES;
  if (Number(length) > available) {
    return fail(`its header claims ${length} bytes, ${available} are there (is the file truncated?)`);
  }
  return Number(length);
}

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  const parsed = parseJson(decodeUtf8(bytes, fail));
  if ('fault' in parsed) {
    return fail(
      `its header is not JSON: line ${parsed.fault.line}, column ${parsed.fault.column}: ${parsed.fault.text}`,
    );
  }
  const { value } = parsed;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail('its header is not an object');
  return value as Record<string, unknown>;
}

function decodeUtf8(bytes: Uint8Array, fail: Fail): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return fail('its header is not UTF-8');
  }
}

const isMetadata = (value: unknown): value is Record<string, string> =>
  z.record(z.string(), z.string()).safeParse(value).success;

const extent = z.int().min(0);
const entrySchema = z.strictObject({
  dtype: z.string(),
  shape: z.array(extent),
  data_offsets: z.tuple([extent, extent]),
});

function readTensor(name: string, entry: unknown, data: Uint8Array, fail: Fail): Tensor {
  const result = entrySchema.safeParse(entry);
  if (!result.success) {
    const issue = result.error.issues[0];
    return fail(`tensor ${name}: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { dtype, shape, data_offsets } = result.data;
  const [begin, end] = data_offsets;
  const elementBytes = Object.hasOwn(DTYPE_BYTES, dtype) ? DTYPE_BYTES[dtype] : undefined;
  if (elementBytes === undefined) return fail(`tensor ${name}: unknown dtype ${dtype}`);
  if (begin > end) return fail(`tensor ${name}: data_offsets [${begin}, ${end}] run backwards`);
  if (end > data.length) {
    return fail(`tensor ${name}: ends at byte ${end} of the data, which has ${data.length} (is the file truncated?)`);
  }
  const expected = shape.reduce((product, side) => product * side, elementBytes);
  if (end - begin !== expected) {
    return fail(
      `tensor ${name}: ${dtype} of shape [${shape}] takes ${countOf(expected, 'byte')}, its data_offsets span ${end - begin}`,
    );
  }
  return { name, dtype, shape, bytes: data.subarray(begin, end) };
}

/** Sorts the tensors by offset; together they must cover the data without gap or overlap. */
function checkLayout(tensors: Tensor[], data: Uint8Array, fail: Fail): void {
  const beginOf = (tensor: Tensor): number => tensor.bytes.byteOffset - data.byteOffset;
  tensors.sort((a, b) => beginOf(a) - beginOf(b) || a.bytes.length - b.bytes.length);
  let end = 0;
  let previous = 'the header';
  for (const tensor of tensors) {
    const begin = beginOf(tensor);
    if (begin < end) fail(`tensor ${tensor.name} starts at byte ${begin}, inside ${previous}, which ends at ${end}`);
    if (begin > end) fail(`bytes ${end} to ${begin} between ${previous} and tensor ${tensor.name} belong to no tensor`);
    end += tensor.bytes.length;
    previous = `tensor ${tensor.name}`;
  }
  if (end < data.length) fail(`${countOf(data.length - end, 'byte')} after ${previous} belong to no tensor`);
}
