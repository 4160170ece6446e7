/** A checkout that this user may read and not write: another user's, or on a read-only file system. */
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { SetupError } from './report.mjs';

/** Why one of these folders, or what it would be made in, cannot be written: `EROFS`; undefined when all can. */
export function findRefusal(folders) {
  for (const folder of folders) {
    try {
      accessSync(findExisting(folder), constants.W_OK);
    } catch (error) {
      return error.code;
    }
  }
  return undefined;
}

const findExisting = (folder) =>
  existsSync(folder) || path.dirname(folder) === folder ? folder : findExisting(path.dirname(folder));

/**
 * What is stale in a checkout that cannot be written is used as it is, if it is there.
 *
 * @param steps `{ what, isFresh, isBuilt }` of each
 * @returns the names of what is stale; throws a SetupError when something is missing
 */
export function acceptStale(root, refusal, steps) {
  const missing = steps.filter(({ isBuilt }) => !isBuilt).map(({ what }) => what);
  if (missing.length > 0) {
    throw new SetupError(`${root} cannot be written (${refusal}), and these are missing there: ${missing.join(', ')}`, {
      hint: 'Let its owner run `npm run build` there, or copy it into a folder of your own.',
    });
  }
  return steps.filter(({ isFresh }) => !isFresh).map(({ what }) => what);
}
