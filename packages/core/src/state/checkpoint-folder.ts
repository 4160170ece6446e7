/**
 * Checkpoints on disk: one folder for each, `step-0000001234`, written as `checkpoint-writing.ts` says. Who looks sees a
 * whole checkpoint or none, whatever happens to the writer.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LockstepError } from '../errors/errors.js';
import { readWholeFile } from '../files/whole-file.js';
import { nounOf } from '../text/count-text.js';
import { CHECKPOINT_FILES, type Checkpoint, damaged, decodeCheckpoint } from './checkpoint.js';

const NAME = /^step-(\d{10,})$/;
const ASIDE = /^\.step-(\d{10,})\.old$/;

/** `step-0000001234`: names sort as their steps do. */
export const checkpointName = (step: number): string => `step-${String(step).padStart(10, '0')}`;

/** Where a checkpoint steps aside for another of the same step; whole, if it was. */
export const asideName = (step: number): string => `.${checkpointName(step)}.old`;

/** A checkpoint that is being written: whole only when its writer says so, or a checkpoint has stepped aside for it. */
export const temporaryName = (step: number): string => `.${checkpointName(step)}.${process.pid}.tmp`;

export const isTemporary = (name: string): boolean => name.startsWith('.') && name.endsWith('.tmp');

/** Whether a path is a checkpoint, rather than a folder of them. */
export const isCheckpoint = (path: string): boolean => listFolder(path).includes(CHECKPOINT_FILES.info);

/** Whether a folder has the name that a run gives its checkpoints. */
export const hasCheckpointName = (name: string): boolean => NAME.test(name);

/**
 * Steps of the checkpoints in a folder, by their names, ascending; none if there is no such folder. One whose writer was
 * killed while it replaced it counts, see `findCheckpoint`.
 */
export function listCheckpoints(folder: string): number[] {
  const steps = listFolder(folder).flatMap((name) => NAME.exec(name)?.[1] ?? ASIDE.exec(name)?.[1] ?? []);
  return [...new Set(steps.map(Number))].sort((a, b) => a - b);
}

/** Steps whose checkpoint has stepped aside and was not removed. */
export const listAside = (folder: string): number[] =>
  listFolder(folder)
    .flatMap((name) => ASIDE.exec(name)?.[1] ?? [])
    .map(Number);

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
 * Reads and checks one checkpoint.
 *
 * @throws LockstepError LOCKSTEP_CHECKPOINT_DAMAGED saying what is wrong with it
 */
export function readCheckpoint(path: string): Checkpoint {
  const read = (name: string): Uint8Array => {
    try {
      return readWholeFile(join(path, name));
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
  if (isCheckpoint(path)) return { path, checkpoint: readCheckpoint(path), skipped: [] };
  const skipped: string[] = [];
  for (const step of listCheckpoints(path).toReversed()) {
    const candidate = join(path, checkpointName(step));
    try {
      return { path: candidate, checkpoint: readCheckpoint(findPlace(path, step)), skipped };
    } catch (error) {
      if (!(error instanceof LockstepError)) throw error;
      skipped.push(error.text);
    }
  }
  const isThere = existsSync(path);
  const reason =
    skipped.length > 0 ? `none is whole: ${skipped.join(' ')}` : isThere ? 'there are none' : 'there is no such folder';
  const beside = isThere ? [] : listCheckpoints(dirname(path));
  const advice =
    beside.length > 0
      ? `${dirname(path)} has those of ${nounOf(beside.length, 'step')} ${beside.join(', ')}.`
      : 'Give the folder that a run wrote with --checkpoint; that of a run itself, such as runs/tiny6k-seed1, is for --weights.';
  throw new LockstepError('LOCKSTEP_CHECKPOINT_NONE', `no checkpoint to resume in ${path}: ${reason}. ${advice}`);
}

/**
 * Where the checkpoint of a step is. While one replaces another of its step, for a moment neither has its name: then it is
 * the new one if that is whole, else the old one.
 */
export function findPlace(folder: string, step: number): string {
  const names = listFolder(folder);
  if (names.includes(checkpointName(step)) || !names.includes(asideName(step)))
    return join(folder, checkpointName(step));
  const written = names.filter((name) => isTemporary(name) && name.startsWith(`.${checkpointName(step)}.`));
  const places = [...written, asideName(step)].map((name) => join(folder, name));
  return places.find(isWhole) ?? join(folder, asideName(step));
}

/** Whether there is a whole checkpoint at a path. */
export function isWhole(path: string): boolean {
  try {
    readCheckpoint(path);
    return true;
  } catch (error) {
    if (error instanceof LockstepError) return false;
    throw error;
  }
}

/** Changes when a checkpoint's files do; undefined where one of them is not there. */
export function signCheckpoint(path: string): string | undefined {
  const stats = Object.values(CHECKPOINT_FILES).map((name) => statSync(join(path, name), { throwIfNoEntry: false }));
  return stats.includes(undefined) ? undefined : stats.map((of) => `${of?.size} ${of?.mtimeMs}`).join(' ');
}
