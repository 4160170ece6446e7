/**
 * The IDX format of MNIST (yann.lecun.com/exdb/mnist): big-endian uint32 words, then uint8 elements, row-major.
 *
 *     images   0x00000803  count            height  width   pixels...
 *     images   0x00000804  count  channels  height  width   pixels...
 *     labels   0x00000801  count                            labels...
 *
 * and QMNIST's labels, whose elements are int32, big-endian, of which the first of each row is the class:
 *
 *     labels   0x00000c02  count  columns                   rows...
 */

import { LockstepError } from '../../errors/errors.js';
import { countOf } from '../../text/count-text.js';

/** Pixels are [count][channels][height][width], row-major. */
export interface IdxImages {
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array;
}

const IMAGES_MAGIC = 0x00000803;
const CHANNEL_IMAGES_MAGIC = 0x00000804;
const LABELS_MAGIC = 0x00000801;
const INT_LABELS_MAGIC = 0x00000c01;
const INT_ROWS_MAGIC = 0x00000c02;
const ALL_LABELS = [LABELS_MAGIC, INT_LABELS_MAGIC, INT_ROWS_MAGIC];

/** The header's words after the magic number, by magic number. */
const FIELDS: Readonly<Record<number, readonly string[]>> = {
  [IMAGES_MAGIC]: ['count', 'height', 'width'],
  [CHANNEL_IMAGES_MAGIC]: ['count', 'channels', 'height', 'width'],
  [LABELS_MAGIC]: ['count'],
  [INT_LABELS_MAGIC]: ['count'],
  [INT_ROWS_MAGIC]: ['count', 'columns'],
};
/** The third byte of files of int32. */
const INT_TYPE = 0x0c;
/** As in a model's input. */
const MAX_SIDE = 65_536;

/**
 * Reads images, uncompressed. The pixels are a view into `bytes`.
 *
 * @param source the file's name, for errors
 * @throws LockstepError LOCKSTEP_DATA_MAGIC, LOCKSTEP_DATA_DIMENSION or LOCKSTEP_DATA_SIZE
 */
export function parseIdxImages(bytes: Uint8Array, source: string): IdxImages {
  const { sizes, payload } = parseIdx(bytes, source, 'images');
  const { count = 0, channels = 1, height = 0, width = 0 } = sizes;
  return { count, channels, height, width, pixels: payload };
}

/**
 * Reads labels, uncompressed; those of one byte as a view into `bytes`.
 *
 * @param source the file's name, for errors
 * @throws LockstepError LOCKSTEP_DATA_MAGIC, LOCKSTEP_DATA_DIMENSION, LOCKSTEP_DATA_SIZE, or LOCKSTEP_DATA_LABEL for
 *   an int32 that is no byte
 */
export function parseIdxLabels(bytes: Uint8Array, source: string): Uint8Array {
  const { sizes, payload } = parseIdx(bytes, source, 'labels');
  const { count = 0, columns = 1 } = sizes;
  if (payload.length === count) return payload;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return Uint8Array.from({ length: count }, (_, index) => {
    const label = view.getInt32(4 * columns * index);
    if (label >= 0 && label <= 255) return label;
    throw new LockstepError(
      'LOCKSTEP_DATA_LABEL',
      `${source}: label ${label} of image ${index} is out of range 0..255. Correct the label.`,
    );
  });
}

/** Bytes of the whole file, by its header alone; undefined where that is none. */
export function claimedIdxBytes(start: Uint8Array): number | undefined {
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const fields = start.length < 4 ? undefined : FIELDS[view.getUint32(0)];
  if (fields === undefined || start.length < 4 + 4 * fields.length) return undefined;
  const sizes = fields.map((_, index) => view.getUint32(4 + 4 * index));
  const elementBytes = view.getUint8(2) === INT_TYPE ? 4 : 1;
  return sizes.reduce((product, size) => product * size, elementBytes) + 4 + 4 * fields.length;
}

/** Numbers in a row of a labels file; 1 where a label is all of it. */
export function countIdxColumns(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.byteLength >= 12 && view.getUint32(0) === INT_ROWS_MAGIC ? view.getUint32(8) : 1;
}

/** The file of these images; with more than one channel it is the 4-d form. */
export function encodeIdxImages({ count, channels, height, width, pixels }: IdxImages): Uint8Array {
  if (channels === 1) return encodeIdx([IMAGES_MAGIC, count, height, width], pixels);
  return encodeIdx([CHANNEL_IMAGES_MAGIC, count, channels, height, width], pixels);
}

/** The file of these labels. */
export function encodeIdxLabels(labels: Uint8Array): Uint8Array {
  return encodeIdx([LABELS_MAGIC, labels.length], labels);
}

function encodeIdx(header: readonly number[], payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 * header.length + payload.length);
  const view = new DataView(bytes.buffer);
  header.forEach((word, index) => {
    view.setUint32(4 * index, word);
  });
  bytes.set(payload, 4 * header.length);
  return bytes;
}

type Kind = 'images' | 'labels';

function parseIdx(bytes: Uint8Array, source: string, kind: Kind) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields = readMagic(view, source, kind);
  const headerBytes = 4 + 4 * fields.length;
  if (bytes.length < headerBytes) {
    throw sizeError(`${source} ends at offset ${bytes.length}, inside its ${headerBytes}-byte header`);
  }
  const sizes: Record<string, number> = {};
  fields.forEach((field, index) => {
    sizes[field] = readSize(view, 4 + 4 * index, field, source);
  });
  const elementBytes = view.getUint8(2) === INT_TYPE ? 4 : 1;
  checkPayload(bytes.length - headerBytes, headerBytes, Object.values(sizes), elementBytes, source, kind);
  return { sizes, payload: bytes.subarray(headerBytes) };
}

/** The names of the header's words that follow. */
function readMagic(view: DataView, source: string, kind: Kind): readonly string[] {
  if (view.byteLength < 4) {
    throw sizeError(`${source} has ${countOf(view.byteLength, 'byte')}, too few for the magic number at offset 0`);
  }
  const magic = view.getUint32(0);
  const fields = FIELDS[magic];
  if (fields !== undefined && ALL_LABELS.includes(magic) === (kind === 'labels')) return fields;
  const expected = kind === 'labels' ? '0x00000801 (labels)' : '0x00000803 or 0x00000804 (images)';
  throw new LockstepError(
    'LOCKSTEP_DATA_MAGIC',
    `${source} starts with ${toHex(magic)}${describeMagic(magic)}, expected ${expected}. ${suggestForMagic(magic, kind)}`,
  );
}

function describeMagic(magic: number): string {
  if (ALL_LABELS.includes(magic)) return ' (labels)';
  return FIELDS[magic] === undefined ? '' : ' (images)';
}

/** What people most often put where an IDX file belongs, by its first four bytes. */
function suggestForMagic(magic: number, kind: Kind): string {
  if (FIELDS[magic] !== undefined) return 'Were images and labels swapped?';
  if (magic >>> 16 === 0x504b) return 'It is a zip archive: unpack it first.';
  if (magic >>> 24 === 0x3c) return 'It looks like a web page: download the file itself.';
  if (magic === 0x76657273) return 'It looks like a Git LFS pointer: run git lfs pull.';
  if ((magic & 0xffff) === 0 && magic !== 0) return 'Its header is little-endian: IDX is big-endian.';
  if (magic >>> 16 === 0)
    return `Only uint8 elements (third byte 08) in ${kind === 'labels' ? '1' : '3 or 4'} dimensions are read.`;
  return 'It is not an IDX file: download it again.';
}

function readSize(view: DataView, offset: number, field: string, source: string): number {
  const size = view.getUint32(offset);
  if (size > 0 && (field === 'count' || size <= MAX_SIDE)) return size;
  const range = field === 'count' ? 'at least 1' : `1 to ${MAX_SIDE}`;
  throw new LockstepError(
    'LOCKSTEP_DATA_DIMENSION',
    `${source}: the ${field} at offset ${offset} is ${size}, expected ${range}. The file is damaged: download it again.`,
  );
}

function checkPayload(
  found: number,
  headerBytes: number,
  sizes: number[],
  elementBytes: number,
  source: string,
  kind: Kind,
): void {
  const expected = sizes.reduce((product, size) => product * size, elementBytes);
  if (found === expected) return;
  const wanted = `its header says ${sizes.join('x')} ${kind}, ${countOf(expected, 'byte')} from offset ${headerBytes}`;
  if (found < expected) {
    throw sizeError(
      `${source}: ${wanted}, but the file ends at offset ${headerBytes + found}, ${expected - found} too early`,
    );
  }
  throw sizeError(`${source}: ${wanted}, but ${found - expected} more follow from offset ${headerBytes + expected} on`);
}

function sizeError(text: string): LockstepError {
  return new LockstepError('LOCKSTEP_DATA_SIZE', `${text}. The file is damaged: download it again.`);
}

function toHex(word: number): string {
  return `0x${word.toString(16).padStart(8, '0')}`;
}
