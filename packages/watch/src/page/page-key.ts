/**
 * The secret of pages on this machine, where a run has no token: other users of the machine reach its ports too. It lies in
 * the user's own cache folder, so that a page that is open goes on with the next run.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Readable by its owner alone. */
const MODE = 0o600;

/**
 * The key, 64 hex digits: the one that is there, or a new one; where it cannot be kept, one for this process.
 *
 * @param tell takes a line where another key is put in the place of one
 */
export function readPageKey(cacheFolder: string, tell: (line: string) => void = () => {}): string {
  const file = path.join(cacheFolder, 'page-key');
  try {
    const kept = readKept(file);
    if (kept !== undefined) return kept;
    const fault = findFault(file);
    rmSync(file, { force: true });
    mkdirSync(cacheFolder, { recursive: true });
    writeFileSync(file, createKey(), { flag: 'wx', mode: MODE });
    if (fault !== undefined) {
      tell(
        `note: the key of live pages, ${file}, ${fault}: a new one is in its place, and pages that are open need the new address`,
      );
    }
  } catch {
    // another process has just made it, or there is no place for it
  }
  return readKept(file) ?? createKey();
}

const createKey = (): string => randomBytes(32).toString('hex');

/** Undefined when there is none, or others can read it. */
function readKept(file: string): string | undefined {
  try {
    return findFault(file) === undefined ? readFileSync(file, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

/** What is wrong with a file that is there; undefined also when none is. */
function findFault(file: string): string | undefined {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) return 'could be read by others';
  return /^[0-9a-f]{64}$/.test(readFileSync(file, 'utf8')) ? undefined : 'held no key';
}
