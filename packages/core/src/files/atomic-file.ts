/**
 * Writes files so that a reader, or a machine after a power cut, sees the old content or the new, never a part. What is no
 * regular file (a device, a fifo) is written through, links are followed, and a mount point is written in place.
 */
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { writeWhole } from './whole-file.js';

/** A file of these is there and may be written, but not be replaced: it is a mount point, or its folder takes no new files. */
const CANNOT_REPLACE = ['EBUSY', 'EACCES', 'EPERM', 'EROFS'];
/** As many as Linux follows. */
const MAX_LINKS = 40;

/**
 * Writes `parts` one after the other to a temporary name beside `path`, syncs it to the disk and renames it to `path`.
 * On an error the temporary file is removed and `path` is as it was. A file that cannot be replaced, only written, is
 * written in place. Throws what node:fs throws.
 */
export function writeFileAtomically(path: string, parts: readonly Uint8Array[]): void {
  const target = findTarget(path);
  if ('descriptor' in target) {
    for (const part of parts) writeWhole(target.descriptor, part);
    return;
  }
  const { place, found } = target;
  if (found?.isFile() === false) {
    writeInto(place, parts);
    return;
  }
  try {
    replace(place, parts, found);
  } catch (error) {
    if (found === undefined || !CANNOT_REPLACE.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    writeInto(place, parts);
  }
  syncFolder(dirname(place));
}

/**
 * Finds out whether `writeFileAtomically` could write here, and leaves everything as it is: a fifo is not opened, since its
 * reader would take that for all there is. Throws what node:fs throws.
 */
export function checkWritable(path: string): void {
  const target = findTarget(path);
  if ('descriptor' in target) return;
  const { place, found } = target;
  if (found?.isDirectory()) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
  if (found !== undefined) accessSync(place, constants.W_OK);
  if (found?.isFile() === false) return;
  const probe = nameTemporary(place);
  try {
    closeSync(openSync(probe, 'wx'));
    rmSync(probe);
  } catch (error) {
    if (found === undefined || !CANNOT_REPLACE.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

type Target = { readonly descriptor: number } | { readonly place: string; readonly found: Stats | undefined };

/** Where the bytes are to go: through links, also one that leads to nothing yet; a file under /dev/fd is open already. */
function findTarget(path: string): Target {
  const found = statSync(path, { throwIfNoEntry: false });
  // a pipe, terminal or device under /dev/fd has no path of its own
  if (found !== undefined && !found.isFile()) return { place: path, found };
  let place = path;
  for (place of followLinks(path)) {
    const descriptor = readDescriptor(place);
    if (descriptor !== undefined) return { descriptor };
  }
  return { place, found };
}

/** Whether a path is this process's stdout: `/dev/stdout`, `/dev/fd/1`, a link to these. */
export const isStdout = (path: string): boolean => [...followLinks(path)].some((place) => readDescriptor(place) === 1);

/** The path, and what it leads to. */
function* followLinks(path: string): Generator<string, void> {
  let place: string | undefined = path;
  for (let links = 0; links < MAX_LINKS && place !== undefined; links++) {
    yield place;
    const next = readLink(place);
    place = next === undefined ? undefined : resolve(dirname(place), next);
  }
}

/** The number of `/dev/fd/3`, `/proc/self/fd/3`, when it is one of this process. */
function readDescriptor(path: string): number | undefined {
  if (process.platform === 'win32' || !/(^|\/)\d+$/.test(path)) return undefined;
  try {
    const folder = realpathSync(dirname(path));
    const isOurs = folder === '/dev/fd' || folder === `/proc/${process.pid}/fd`;
    return isOurs ? Number(path.slice(path.lastIndexOf('/') + 1)) : undefined;
  } catch {
    return undefined;
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Nobody can know it before and put a link there; short, so that it fits wherever the file's own name does. */
const nameTemporary = (path: string): string => join(dirname(path), `.${randomBytes(8).toString('hex')}.tmp`);

/** @param found what is there: its permissions stay */
function replace(path: string, parts: readonly Uint8Array[], found: Stats | undefined): void {
  const temporary = nameTemporary(path);
  try {
    const file = openSync(temporary, 'wx');
    try {
      for (const part of parts) writeWhole(file, part);
      if (found !== undefined) keepMode(file, found.mode);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function keepMode(file: number, mode: number): void {
  try {
    fchmodSync(file, mode & 0o777);
  } catch {
    // file systems without permissions
  }
}

function writeInto(path: string, parts: readonly Uint8Array[]): void {
  const file = openSync(path, 'w');
  try {
    for (const part of parts) writeWhole(file, part);
    if (statSync(path).isFile()) fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** A rename is only safe from a power cut once the folder is on the disk. */
export function syncFolder(path: string): void {
  let folder: number | undefined;
  try {
    folder = openSync(path, 'r');
    fsyncSync(folder);
  } catch (error) {
    // Windows cannot open a folder, and some network file systems cannot sync one: the file itself is complete.
    const harmless = ['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP', 'EBADF'];
    if (!harmless.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    if (folder !== undefined) closeSync(folder);
  }
}
