/**
 * The secret of pages on this machine, where a run has no token: other users of the machine reach its ports too. It lies in
 * the user's own cache folder, so that a page that is open goes on with the next run.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Readable by its owner alone. */
const MODE = 0o600;

/** The key, 64 hex digits: the one that is there, or a new one; where it cannot be kept, one for this process. */
export function readPageKey(cacheFolder: string): string {
  const file = path.join(cacheFolder, 'page-key');
  try {
    const kept = readKept(file);
    if (kept !== undefined) return kept;
    rmSync(file, { force: true });
    mkdirSync(cacheFolder, { recursive: true });
    writeFileSync(file, createKey(), { flag: 'wx', mode: MODE });
  } catch {
    // another process has just made it, or there is no place for it
  }
  return readKept(file) ?? createKey();
}

const createKey = (): string => randomBytes(32).toString('hex');

/** Undefined when there is none, or others can read it. */
function readKept(file: string): string | undefined {
  try {
    if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) return undefined;
    const text = readFileSync(file, 'utf8');
    return /^[0-9a-f]{64}$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}
