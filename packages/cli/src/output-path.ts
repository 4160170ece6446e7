/** Finds out whether a file can be written before the work that would be lost. */
import { closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { LockstepError } from '@lockstep/core';

/**
 * Creates the folder of `path` and tries to write in it; an existing file is left as it is.
 *
 * @throws LockstepError LOCKSTEP_SAVE_PATH naming path and reason
 */
export function checkOutputPath(path: string): void {
  const probe = `${path}.${process.pid}.probe`;
  let isFolder = false;
  try {
    isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
    mkdirSync(dirname(path), { recursive: true });
    closeSync(openSync(probe, 'w'));
    rmSync(probe);
  } catch (error) {
    throw savePathError(path, describeReason(error as NodeJS.ErrnoException), error);
  }
  if (isFolder) throw savePathError(path, 'it is a folder');
}

const savePathError = (path: string, reason: string, cause?: unknown): LockstepError =>
  new LockstepError(
    'LOCKSTEP_SAVE_PATH',
    `cannot write --save ${path}: ${reason}. Choose another path, or --no-save.`,
    {
      cause,
    },
  );

function describeReason(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EROFS':
      return 'the file system is read-only';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a part of its folder is a file';
    case 'ENOSPC':
      return 'the disk is full';
    case 'ENAMETOOLONG':
      return 'the name is too long';
    default:
      return error.message;
  }
}
