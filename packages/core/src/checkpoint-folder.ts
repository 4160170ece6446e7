/**
 * Checkpoints on disk: one folder for each, `step-0000001234`, written under a temporary name, synced and renamed. Who
 * looks sees a whole checkpoint or none, whatever happens to the writer.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { syncFolder } from './atomic-file.js';
import { CHECKPOINT_FILES, type Checkpoint, damaged, decodeCheckpoint, encodeCheckpoint } from './checkpoint.js';
import { LockstepError } from './errors.js';

const NAME = /^step-(\d{10,})$/;
const TEMPORARY = '.tmp';

/** `step-0000001234`: names sort as their steps do. */
export const checkpointName = (step: number): string => `step-${String(step).padStart(10, '0')}`;

/** Steps of the checkpoints in a folder, by their names, ascending; none if there is no such folder. */
export function listCheckpoints(folder: string): number[] {
  return listFolder(folder)
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw new LockstepError('LOCKSTEP_CHECKPOINT_READ', `cannot read the checkpoints in ${folder}: ${message}.`, {
      cause: error,
    });
  }
}

/**
 * Writes a checkpoint into a folder, which is made. Replaces one of the same step; on any failure what was there before
 * is still there.
 *
 * @returns its path
 * @throws LockstepError LOCKSTEP_CHECKPOINT_WRITE
 */
export function writeCheckpoint(folder: string, checkpoint: Checkpoint): string {
  const name = checkpointName(checkpoint.info.step);
  const target = join(folder, name);
  const temporary = join(folder, `.${name}.${process.pid}${TEMPORARY}`);
  const files = encodeCheckpoint(checkpoint);
  try {
    createFolder(folder);
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary);
    writeSynced(join(temporary, CHECKPOINT_FILES.tensors), files.tensors);
    writeSynced(join(temporary, CHECKPOINT_FILES.info), files.info);
    syncFolder(temporary);
    moveOver(temporary, target);
    syncFolder(folder);
    return target;
  } catch (error) {
    removeQuietly(temporary);
    throw writeError(target, error as NodeJS.ErrnoException);
  }
}

/** Not mkdirSync's `recursive`: that never returns where a folder cannot be made for ENOENT, as in /proc (Node 20). */
function createFolder(path: string): void {
  if (existsSync(path)) return;
  createFolder(dirname(path));
  mkdirSync(path);
}

/**
 * A folder cannot be renamed onto one with files in it: the old one steps aside first. A run only meets one of its own
 * step that is damaged: had it been whole, the run would have gone on from it.
 */
function moveOver(temporary: string, target: string): void {
  try {
    renameSync(temporary, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'EPERM') throw error;
    const aside = `${temporary}.old${TEMPORARY}`;
    renameSync(target, aside);
    renameSync(temporary, target);
    removeQuietly(aside);
  }
}

function writeSynced(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'w');
  try {
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // It has a temporary name: nobody takes it for a checkpoint, and the next run removes it.
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'a part of the path is a file',
};

function writeError(path: string, error: NodeJS.ErrnoException): LockstepError {
  const reason = REASONS[error.code ?? ''] ?? error.message;
  return new LockstepError(
    'LOCKSTEP_CHECKPOINT_WRITE',
    `cannot write checkpoint ${path}: ${reason}. Earlier checkpoints are untouched; make room, or choose another --checkpoint folder.`,
    { cause: error },
  );
}

/**
 * Tries that a folder can be made and written to, before a run relies on it; removes what earlier writers left half done.
 *
 * @throws LockstepError LOCKSTEP_CHECKPOINT_WRITE
 */
export function prepareCheckpointFolder(folder: string): void {
  const probe = join(folder, `.probe.${process.pid}${TEMPORARY}`);
  try {
    createFolder(folder);
    for (const name of readdirSync(folder)) {
      if (name.startsWith('.') && name.endsWith(TEMPORARY)) removeQuietly(join(folder, name));
    }
    mkdirSync(probe);
    rmSync(probe, { recursive: true });
  } catch (error) {
    throw writeError(folder, error as NodeJS.ErrnoException);
  }
}

/**
 * Reads and checks one checkpoint.
 *
 * @throws LockstepError LOCKSTEP_CHECKPOINT_DAMAGED saying what is wrong with it
 */
export function readCheckpoint(path: string): Checkpoint {
  const read = (name: string): Uint8Array => {
    try {
      return readFileSync(join(path, name));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw damaged(path, code === 'ENOENT' ? `${name} is not there` : `${name}: ${message}`, error);
    }
  };
  const info = read(CHECKPOINT_FILES.info);
  return decodeCheckpoint({ info, tensors: read(CHECKPOINT_FILES.tensors) }, path);
}

export interface FoundCheckpoint {
  readonly path: string;
  readonly checkpoint: Checkpoint;
  /** Newer ones that are damaged, newest first: which, and why. */
  readonly skipped: readonly string[];
}

/**
 * Finds the newest checkpoint that is whole. `path` may also be a single checkpoint.
 *
 * @throws LockstepError LOCKSTEP_CHECKPOINT_NONE when there is none; it lists the damaged ones
 */
export function findCheckpoint(path: string): FoundCheckpoint {
  if (listFolder(path).includes(CHECKPOINT_FILES.info)) return { path, checkpoint: readCheckpoint(path), skipped: [] };
  const skipped: string[] = [];
  for (const step of listCheckpoints(path).toReversed()) {
    const candidate = join(path, checkpointName(step));
    try {
      return { path: candidate, checkpoint: readCheckpoint(candidate), skipped };
    } catch (error) {
      if (!(error instanceof LockstepError)) throw error;
      skipped.push(error.text);
    }
  }
  const reason = skipped.length === 0 ? 'there are none' : `none is whole: ${skipped.join(' ')}`;
  throw new LockstepError(
    'LOCKSTEP_CHECKPOINT_NONE',
    `no checkpoint to resume in ${path}: ${reason}. Give the folder that a run wrote with --checkpoint.`,
  );
}

/** Removes checkpoints; one that cannot be removed stays. */
export function removeCheckpoints(folder: string, steps: readonly number[]): void {
  for (const step of steps) {
    const path = join(folder, checkpointName(step));
    const aside = join(folder, `.${checkpointName(step)}.${process.pid}${TEMPORARY}`);
    try {
      // renamed first: a checkpoint that is half removed would look damaged
      renameSync(path, aside);
      removeQuietly(aside);
    } catch {
      // Not there, or not ours to remove.
    }
  }
}
