/** A folder that keeps downloaded files. It is checked at every use, and a run never depends on it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LockstepError } from '../../errors/errors.js';
import { writeFileAtomically } from '../../files/atomic-file.js';
import { createFolder } from '../../files/output-path.js';
import { gunzipIfPacked } from '../readers/gzip.js';
import { type DownloadOptions, downloadFiles, hasContent, type RemoteFile, type Warn } from './download.js';

export interface CacheOptions extends DownloadOptions {
  /** Never touch the network. */
  readonly offline?: boolean | undefined;
}

export interface CachedFiles {
  /** Unpacked and checked content, by name. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
  /** Mirrors that were used, in order; empty when all came from the folder. */
  readonly mirrors: readonly string[];
}

/**
 * The files' unpacked contents: from `folder` where it has them unharmed, else downloaded and put there, one by one, so
 * that an interrupted download goes on where it stopped. Undefined when some cannot be had. A folder that cannot be
 * read or written costs a warning. Throws only the signal's reason.
 */
export async function getFiles(
  files: readonly RemoteFile[],
  folder: string,
  options: CacheOptions,
): Promise<CachedFiles | undefined> {
  const contents = await readCache(files, folder, options.onWarning);
  options.signal?.throwIfAborted();
  const missing = files.filter(({ name }) => !contents.has(name));
  const mirrors = new Set<string>();
  if (missing.length > 0 && !options.offline) {
    let isWritable = true;
    for await (const { file, packed, content, mirror } of downloadFiles(missing, options)) {
      contents.set(file.name, content);
      mirrors.add(mirror);
      isWritable = isWritable && writeToCache(folder, file.name, packed, options.onWarning);
    }
  }
  return contents.size === files.length ? { contents, mirrors: [...mirrors] } : undefined;
}

async function readCache(files: readonly RemoteFile[], folder: string, onWarning: Warn) {
  const contents = new Map<string, Uint8Array>();
  const readOne = async (file: RemoteFile) => {
    const content = await readFromCache(file, join(folder, file.name), onWarning);
    if (content !== undefined) contents.set(file.name, content);
  };
  await Promise.all(files.map(readOne));
  return contents;
}

async function readFromCache(file: RemoteFile, path: string, onWarning: Warn): Promise<Uint8Array | undefined> {
  try {
    const content = await gunzipIfPacked(await readFile(path), path, file.bytes);
    if (hasContent(file, content)) return content;
    warnOfCache(onWarning, `${path} does not have the expected SHA-256 ${file.sha256}; it is not used.`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Simply not there; that a file stands where the folder should be is for writing to report.
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const text = error instanceof LockstepError ? error.text : `cannot read ${path}: ${message}.`;
    warnOfCache(onWarning, `${text} It is not used.`);
  }
  return undefined;
}

/** Whether it worked. */
function writeToCache(folder: string, name: string, packed: Uint8Array, onWarning: Warn): boolean {
  try {
    createFolder(folder);
    writeFileAtomically(join(folder, name), [packed]);
    return true;
  } catch (error) {
    const text = `cannot write to the cache folder ${folder}: ${(error as Error).message}. `;
    warnOfCache(onWarning, `${text}The data is used from memory; set LOCKSTEP_CACHE to a folder that can be written.`);
    return false;
  }
}

function warnOfCache(onWarning: Warn, message: string): void {
  onWarning({ code: 'LOCKSTEP_DATA_CACHE', message });
}
