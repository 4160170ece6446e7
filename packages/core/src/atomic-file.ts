/** Writes files so that a reader, or a machine after a power cut, sees the old content or the new, never a part. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeWhole } from './whole-file.js';

/**
 * Writes `parts` one after the other to a temporary name beside `path`, syncs it to the disk and renames it to `path`.
 * On an error the temporary file is removed and `path` is as it was. Throws what node:fs throws.
 */
export function writeFileAtomically(path: string, parts: readonly Uint8Array[]): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(temporary, 'w');
    try {
      for (const part of parts) writeWhole(file, part);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
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
