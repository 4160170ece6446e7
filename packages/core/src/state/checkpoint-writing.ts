/**
 * How checkpoints get onto the disk: under a temporary name, synced and renamed. Whenever the writer is killed, each step
 * has its whole checkpoint if it had one before.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LockstepError } from '../errors/errors.js';
import { syncFolder } from '../files/atomic-file.js';
import { createFolder } from '../files/output-path.js';
import { writeWhole } from '../files/whole-file.js';
import { CHECKPOINT_FILES, type Checkpoint, encodeCheckpoint } from './checkpoint.js';
import { asideName, checkpointName, findPlace, isTemporary, listAside, temporaryName } from './checkpoint-folder.js';

/**
 * `synced`: the new one is on the disk, under its temporary name; nothing else has changed. `aside`: the old one of its
 * step, if there is one, has stepped aside. `moved`: the new one has its name.
 */
export type WritePoint = 'synced' | 'aside' | 'moved';

/**
 * Writes a checkpoint into a folder, which is made. Replaces one of the same step; on any failure what was there before
 * is still there.
 *
 * @param at called at each point on the way; what it throws ends the writing as a failure does
 * @returns its path
 * @throws LockstepError LOCKSTEP_CHECKPOINT_WRITE
 */
export function writeCheckpoint(
  folder: string,
  checkpoint: Checkpoint,
  at: (point: WritePoint) => void = () => {},
): string {
  const { step } = checkpoint.info;
  const target = join(folder, checkpointName(step));
  const temporary = join(folder, temporaryName(step));
  const files = encodeCheckpoint(checkpoint);
  try {
    createFolder(folder);
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary);
    writeSynced(join(temporary, CHECKPOINT_FILES.tensors), files.tensors);
    writeSynced(join(temporary, CHECKPOINT_FILES.info), files.info);
    syncFolder(temporary);
    at('synced');
    moveOver(temporary, target, join(folder, asideName(step)), at);
    syncFolder(folder);
    return target;
  } catch (error) {
    removeQuietly(temporary);
    throw writeError(target, error as NodeJS.ErrnoException);
  }
}

/**
 * A folder cannot be renamed onto one with files in it: the old one steps aside first. Between the two renames neither has
 * its name; `findPlace` knows.
 */
function moveOver(temporary: string, target: string, aside: string, at: (point: WritePoint) => void): void {
  if (!existsSync(target)) {
    renameSync(temporary, target);
    at('moved');
    return;
  }
  removeQuietly(aside);
  renameSync(target, aside);
  try {
    at('aside');
    renameSync(temporary, target);
  } catch (error) {
    renameSync(aside, target);
    throw error;
  }
  at('moved');
  removeQuietly(aside);
}

function writeSynced(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'w');
  try {
    writeWhole(file, bytes);
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
  if (error instanceof LockstepError) return error;
  const reason = REASONS[error.code ?? ''] ?? error.message;
  return new LockstepError(
    'LOCKSTEP_CHECKPOINT_WRITE',
    `cannot write checkpoint ${path}: ${reason}. Earlier checkpoints are untouched; make room, or choose another --checkpoint folder.`,
    { cause: error },
  );
}

/**
 * Tries that a folder can be made and written to, before a run relies on it.
 *
 * @throws LockstepError LOCKSTEP_CHECKPOINT_WRITE
 */
export function prepareCheckpointFolder(folder: string): void {
  const probe = join(folder, `.probe.${process.pid}.tmp`);
  try {
    createFolder(folder);
    mkdirSync(probe);
    rmSync(probe, { recursive: true, force: true });
  } catch (error) {
    throw writeError(folder, error as NodeJS.ErrnoException);
  }
}

/**
 * Finishes or removes what earlier writers left half done. Only for the run that has the folder for itself.
 *
 * @throws LockstepError LOCKSTEP_CHECKPOINT_WRITE
 */
export function tidyCheckpointFolder(folder: string): void {
  try {
    for (const step of listAside(folder)) finishReplacing(folder, step);
    for (const name of readdirSync(folder).filter(isTemporary)) removeQuietly(join(folder, name));
  } catch (error) {
    throw writeError(folder, error as NodeJS.ErrnoException);
  }
}

/** A checkpoint of this step has stepped aside for another, and the writer was killed. */
function finishReplacing(folder: string, step: number): void {
  const place = findPlace(folder, step);
  const target = join(folder, checkpointName(step));
  if (place !== target) renameSync(place, target);
  removeQuietly(join(folder, asideName(step)));
}

/** Removes checkpoints; one that cannot be removed stays. */
export function removeCheckpoints(folder: string, steps: readonly number[]): void {
  for (const step of steps) {
    const aside = join(folder, temporaryName(step));
    try {
      // renamed first: a checkpoint that is half removed would look damaged
      renameSync(join(folder, checkpointName(step)), aside);
      removeQuietly(aside);
    } catch {
      // Not there, or not ours to remove.
    }
  }
}

/**
 * Moves checkpoints into a folder of their own below, `branch-1` or the next number that is free.
 *
 * @returns its path
 * @throws LockstepError LOCKSTEP_CHECKPOINT_WRITE
 */
export function setApart(folder: string, steps: readonly number[]): string {
  let number = 1;
  while (existsSync(join(folder, `branch-${number}`))) number += 1;
  const branch = join(folder, `branch-${number}`);
  try {
    mkdirSync(branch);
    for (const name of steps.map(checkpointName)) renameSync(join(folder, name), join(branch, name));
    syncFolder(branch);
    syncFolder(folder);
    return branch;
  } catch (error) {
    throw writeError(branch, error as NodeJS.ErrnoException);
  }
}
