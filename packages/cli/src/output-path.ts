/** Finds out whether a file can be written before the work that would be lost. */
import { closeSync, existsSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { LockstepError } from '@lockstep/core';

/**
 * Creates the folder of `path` and tries to write in it; an existing file is left as it is.
 *
 * @throws LockstepError LOCKSTEP_SAVE_PATH naming path and reason
 */
export function checkOutputPath(path: string, flag = '--save'): void {
  const probe = `${path}.${process.pid}.probe`;
  let isFolder = false;
  try {
    createFolder(dirname(path));
    isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
    closeSync(openSync(probe, 'w'));
    rmSync(probe);
  } catch (error) {
    throw savePathError(path, flag, describeReason(error as NodeJS.ErrnoException), error);
  }
  if (isFolder) throw savePathError(path, flag, 'it is a folder');
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
  ENOTDIR: 'a part of its folder is a file',
  ENOSPC: 'the disk is full',
  ENAMETOOLONG: 'the name is too long',
};

/** Why node:fs failed, for people. */
export const describeReason = (error: NodeJS.ErrnoException): string => REASONS[error.code ?? ''] ?? error.message;
