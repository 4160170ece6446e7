/** The folder of a run's checkpoints, which the run has for itself from before its first step to its end. */
import { dirname, resolve } from 'node:path';
import { LockstepError } from '@lockstep/core/errors';
import type { OnWarning } from '@lockstep/core/seams';
import {
  type FoundCheckpoint,
  isCheckpoint,
  listCheckpoints,
  prepareCheckpointFolder,
  tidyCheckpointFolder,
} from '@lockstep/core/state';
import { FolderLock } from './folder-lock.js';

export interface HeldFolderOptions {
  /** What the run is, for people: `tiny6k, seed 1`. */
  readonly run: string;
  /** What it goes on from. */
  readonly resume: FoundCheckpoint | undefined;
  readonly onWarning: OnWarning;
}

export class HeldFolder {
  private constructor(
    readonly path: string,
    private readonly lock: FolderLock,
  ) {}

  /**
   * @throws LockstepError LOCKSTEP_CHECKPOINT_WRITE when the folder cannot be written to, LOCKSTEP_CHECKPOINT_EXISTS when
   *   it holds those of another run, LOCKSTEP_CHECKPOINT_LOCKED when another run writes into it now
   */
  static async take(path: string, { resume, ...options }: HeldFolderOptions): Promise<HeldFolder> {
    checkNoCheckpoint(path);
    prepareCheckpointFolder(path);
    // before its checkpoints are looked at: to go on from those of a run that is there now would be refused as well
    const lock = await FolderLock.take(path, options);
    try {
      checkOwnFolder(path, resume);
      tidyCheckpointFolder(path);
      return new HeldFolder(path, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** @throws LockstepError LOCKSTEP_CHECKPOINT_LOCKED when another run has taken over meanwhile */
  check(): void {
    if (this.lock.isHeld()) return;
    throw new LockstepError(
      'LOCKSTEP_CHECKPOINT_LOCKED',
      `another run has taken ${this.path} over, since this one gave no sign of life; its checkpoints are not written any more.`,
    );
  }

  /** Gives the folder back; may be called more than once. */
  release(): void {
    this.lock.release();
  }
}

function checkNoCheckpoint(folder: string): void {
  if (!isCheckpoint(folder)) return;
  throw new LockstepError(
    'LOCKSTEP_CHECKPOINT_EXISTS',
    `${folder} is a checkpoint itself. Give the folder that it is in, ${dirname(resolve(folder))}, or another --checkpoint folder.`,
  );
}

/** A folder of checkpoints belongs to one run: another would remove the first one's as too old. */
function checkOwnFolder(folder: string, resume: FoundCheckpoint | undefined): void {
  if (resume !== undefined && dirname(resolve(resume.path)) === resolve(folder)) return;
  const last = listCheckpoints(folder).at(-1);
  if (last === undefined) return;
  throw new LockstepError(
    'LOCKSTEP_CHECKPOINT_EXISTS',
    `${folder} already holds checkpoints, up to step ${last}. Go on from them with --resume ${folder}, or choose another --checkpoint folder.`,
  );
}
