/** Finds out whether a file can be written before the work that would be lost. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { LockstepError } from '../errors/errors.js';
import { checkWritable } from './atomic-file.js';

/**
 * Creates the folder of `path` and tries to write in it; an existing file is left as it is.
 *
 * @throws LockstepError LOCKSTEP_SAVE_PATH naming path and reason
 */
export function checkOutputPath(path: string, flag = '--save'): void {
  try {
    createFolderOf(path);
    checkWritable(path);
  } catch (error) {
    throw savePathError(path, flag, describeReason(error as NodeJS.ErrnoException), error);
  }
}

/** Creates the folder that a file stands in. Throws what node:fs throws. */
export const createFolderOf = (path: string): void => createFolder(dirname(path));

/** Not mkdirSync's `recursive`: that never returns where a folder cannot be made for ENOENT, as in /proc (Node 20). */
export function createFolder(path: string): void {
  if (existsSync(path)) return;
  createFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another run may have made it at the same moment.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

const savePathError = (path: string, flag: string, reason: string, cause?: unknown): LockstepError =>
  new LockstepError(
    'LOCKSTEP_SAVE_PATH',
    `cannot write ${flag} ${path}: ${reason}. Choose another path${flag === '--save' ? ', or --no-save' : ''}.`,
    { cause },
  );

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'its folder cannot be made',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its folder is a file',
  ENOSPC: 'the disk is full',
  ENAMETOOLONG: 'the name is too long',
};

/** Why node:fs failed, for people. */
export const describeReason = (error: NodeJS.ErrnoException): string => REASONS[error.code ?? ''] ?? error.message;
