/**
 * Zip archives (PKWARE's APPNOTE, with zip64): what the directory at the end says of each member, and a member's bytes,
 * which are held against the size and the CRC-32 that the directory gives.
 */

import { constants } from 'node:buffer';
import { totalmem } from 'node:os';
import { crc32, inflateRawSync, type ZlibOptions, constants as zlib } from 'node:zlib';
import { LockstepError } from '../../errors/errors.js';
import { countOf, formatCount, formatCountOf } from '../../text/count-text.js';
import { fixed } from '../../text/number-text.js';

/** A file in an archive. */
export interface ZipMember {
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly isEncrypted: boolean;
  readonly crc: number;
  readonly packedBytes: number;
  /** Unpacked. */
  readonly bytes: number;
  /** Where its own header begins. */
  readonly at: number;
}

const END_MAGIC = 0x06054b50;
const END64_MAGIC = 0x06064b50;
const LOCATOR64_MAGIC = 0x07064b50;
const ENTRY_MAGIC = 0x02014b50;
const LOCAL_MAGIC = 0x04034b50;
const END_BYTES = 22;
const LOCATOR64_BYTES = 20;
const END64_BYTES = 56;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const LONGEST_COMMENT = 0xffff;
/** Stands where the true value is in the zip64 field. */
const IN_64 = 0xffffffff;
const FIELD_64 = 1;
/** More than this does not come out of a deflated byte. */
const MOST_RATIO = 1032;
const LARGEST_CHUNK = 2 ** 28;

/**
 * What is in an archive.
 *
 * @param source its name, for errors
 * @throws LockstepError LOCKSTEP_DATA_NPZ when it is no zip archive, or its directory is damaged
 */
export function listZip(bytes: Uint8Array, source: string): ZipMember[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (reason: string): never => {
    throw zipError(`${source} is not a zip archive that can be unpacked: ${reason}. Save it again with numpy.savez.`);
  };
  const end = findEnd(view) ?? fail('it has no directory at its end');
  const { count, from } = readEnd(view, end, fail);
  const members: ZipMember[] = [];
  for (let index = 0, at = from; index < count; index++) {
    if (at + ENTRY_BYTES > end || view.getUint32(at, true) !== ENTRY_MAGIC) fail('its directory is damaged');
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true)) as [
      number,
      number,
      number,
    ];
    const next = at + ENTRY_BYTES + nameBytes + extraBytes + commentBytes;
    if (next > end) fail('its directory is damaged');
    const extra = { from: at + ENTRY_BYTES + nameBytes, to: at + ENTRY_BYTES + nameBytes + extraBytes };
    const name = new TextDecoder().decode(bytes.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes));
    members.push({ name, ...readEntry(view, at, extra) });
    at = next;
  }
  const names = members.map((member) => member.name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  return twice === undefined ? members : fail(`it has two members ${twice}`);
}

/** Where the record at the end begins: a comment may follow it. */
function findEnd(view: DataView): number | undefined {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - LONGEST_COMMENT); at--) {
    const isEnd = view.getUint32(at, true) === END_MAGIC && view.getUint16(at + 20, true) === last - at;
    if (isEnd) return at;
  }
  return undefined;
}

function readEnd(view: DataView, end: number, fail: (reason: string) => never) {
  const isSplit = view.getUint16(end + 4, true) !== view.getUint16(end + 6, true);
  if (isSplit) fail('it is one piece of several');
  const locator = end - LOCATOR64_BYTES;
  if (locator < 0 || view.getUint32(locator, true) !== LOCATOR64_MAGIC) {
    return { count: view.getUint16(end + 10, true), from: view.getUint32(end + 16, true) };
  }
  const at = Number(view.getBigUint64(locator + 8, true));
  const isThere = at + END64_BYTES <= locator && view.getUint32(at, true) === END64_MAGIC;
  if (!isThere) fail('its directory is damaged');
  return { count: Number(view.getBigUint64(at + 32, true)), from: Number(view.getBigUint64(at + 48, true)) };
}

function readEntry(view: DataView, at: number, extra: { readonly from: number; readonly to: number }) {
  const short = [24, 20, 42].map((offset) => view.getUint32(at + offset, true));
  let wide = findField64(view, extra);
  const [bytes, packedBytes, local] = short.map((value) => {
    if (value !== IN_64 || wide === undefined || wide.from + 8 > wide.to) return value;
    const long = Number(view.getBigUint64(wide.from, true));
    wide = { ...wide, from: wide.from + 8 };
    return long;
  }) as [number, number, number];
  return {
    method: view.getUint16(at + 10, true),
    isEncrypted: (view.getUint16(at + 8, true) & 1) === 1,
    crc: view.getUint32(at + 16, true),
    bytes,
    packedBytes,
    at: local,
  };
}

function findField64(view: DataView, { from, to }: { readonly from: number; readonly to: number }) {
  for (let at = from; at + 4 <= to; at += 4 + view.getUint16(at + 2, true)) {
    const end = Math.min(to, at + 4 + view.getUint16(at + 2, true));
    if (view.getUint16(at, true) === FIELD_64) return { from: at + 4, to: end };
  }
  return undefined;
}

/**
 * A member's bytes; of a stored one a view.
 *
 * @param source its name with its archive's, for errors
 * @throws LockstepError LOCKSTEP_DATA_NPZ when it is damaged, packed in another way, or says a size that cannot be
 */
export function unpackMember(archive: Uint8Array, member: ZipMember, source: string): Uint8Array {
  const fail = failFor(source);
  const packed = findContent(archive, member, fail);
  const bytes = member.method === 0 ? packed : inflate(packed, member, fail);
  if (bytes.length !== member.bytes) {
    fail(`has ${countOf(bytes.length, 'byte')}, the directory says ${member.bytes}. The file is damaged.`);
  }
  if (crc32(bytes) !== member.crc) fail('does not have the CRC-32 that the directory says. The file is damaged.');
  return bytes;
}

/** Packed bytes that are unpacked to look at the first of a member: at most 8 MB come out of them. */
const PEEK_BYTES = 8192;

/**
 * A member's first bytes, some thousands of them or all; what is behind may be damaged.
 *
 * @throws LockstepError as `unpackMember`
 */
export function peekMember(archive: Uint8Array, member: ZipMember, source: string): Uint8Array {
  const fail = failFor(source);
  const packed = findContent(archive, member, fail);
  if (member.method === 0) return packed;
  return inflateBy(packed.subarray(0, PEEK_BYTES), { finishFlush: zlib.Z_SYNC_FLUSH }, member, fail);
}

const failFor =
  (source: string) =>
  (text: string, cause?: unknown): never => {
    throw zipError(`${source} ${text}`, cause);
  };

function findContent(archive: Uint8Array, member: ZipMember, fail: (text: string) => never): Uint8Array {
  if (member.isEncrypted) return fail('is encrypted. Save it without a password.');
  const packed = findPacked(archive, member) ?? fail('is not where the directory says. The file is damaged.');
  checkSize(member, packed.length, fail);
  return packed;
}

function findPacked(archive: Uint8Array, { at, packedBytes }: ZipMember): Uint8Array | undefined {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  if (at + LOCAL_BYTES > archive.length || view.getUint32(at, true) !== LOCAL_MAGIC) return undefined;
  const from = at + LOCAL_BYTES + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
  return from + packedBytes > archive.length ? undefined : archive.subarray(from, from + packedBytes);
}

/** Before any memory is taken: no size is believed that cannot be, or that does not fit here. */
function checkSize({ method, bytes }: ZipMember, packedBytes: number, fail: (text: string) => never): void {
  if (method !== 0 && method !== 8) fail(`is packed by method ${method}. Save it again with numpy.savez.`);
  if (method === 8 && bytes > MOST_RATIO * packedBytes) {
    fail(
      `claims ${formatCountOf(bytes, 'byte')} from ${formatCount(packedBytes)}, more than can come out of them. The file is damaged.`,
    );
  }
  if (bytes > Math.min(constants.MAX_LENGTH, totalmem())) {
    fail(`has ${fixed(bytes / 1e9, 1)} GB, more than this machine can hold. Cut the data into less.`);
  }
}

// a byte more than comes out, or a second piece is begun
const inflate = (packed: Uint8Array, member: ZipMember, fail: (text: string, cause?: unknown) => never): Uint8Array =>
  inflateBy(packed, { chunkSize: Math.min(member.bytes + 64, LARGEST_CHUNK) }, member, fail);

function inflateBy(
  packed: Uint8Array,
  how: ZlibOptions,
  { bytes }: ZipMember,
  fail: (text: string, cause?: unknown) => never,
): Uint8Array {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, bytes), ...how });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isLarger = code === 'ERR_BUFFER_TOO_LARGE';
    const reason = isLarger
      ? `holds more than the ${countOf(bytes, 'byte')} that the directory says`
      : `cannot be unpacked: ${message}`;
    return fail(`${reason}. The file is damaged.`, error);
  }
}

const zipError = (text: string, cause?: unknown): LockstepError =>
  new LockstepError('LOCKSTEP_DATA_NPZ', text, { cause });
