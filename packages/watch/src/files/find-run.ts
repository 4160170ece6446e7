/** Where runs lie, and what is in the folder of one. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LockstepError } from '@lockstep/core/errors';
import { readText } from '@lockstep/core/files';
import { type Progress, readProgress } from './earlier-lines.js';
import { outFiles } from './out-files.js';

/** Holds the folders of runs, in the working folder. */
export const RUNS_FOLDER = 'runs';
/** A text file with the name of the folder that was made last. */
export const LATEST_PATH = join(RUNS_FOLDER, 'latest');
export const weightsFiles = { best: 'best.safetensors', last: 'last.safetensors' } as const;

/** What a person writes for that run. */
export const LATEST = 'latest';

/**
 * The weights file that a person means: that of the best epoch for the folder of a run, and for `latest` (or `runs/latest`)
 * that of the latest run; any other path as it is.
 *
 * @throws LockstepError LOCKSTEP_WEIGHTS_READ for a folder without weights, and for `latest` where nothing has been trained
 */
export function findRunWeights(path: string): string {
  const folder = findRun(path, (reason) => readError(path, reason));
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return folder;
  const found = Object.values(weightsFiles).find((name) => existsSync(join(folder, name)));
  if (found !== undefined) return join(folder, found);
  throw readError(path, `${folder === path ? 'it' : folder} is a folder without ${weightsFiles.best}`);
}

/** How far the run in a folder has come; undefined where none is. Throws what node:fs throws. */
export const findProgress = (folder: string): Progress | undefined =>
  existsSync(join(folder, outFiles.run)) ? readProgress(join(folder, outFiles.events)) : undefined;

/**
 * The folder that `latest` stands for; any other path as it is.
 *
 * @param fail makes the error for `latest` where nothing has been trained
 */
export function findRun(path: string, fail: (reason: string) => LockstepError): string {
  const isLatest = path === LATEST || path.replaceAll('\\', '/') === `${RUNS_FOLDER}/${LATEST}`;
  if (!isLatest || (path === LATEST && existsSync(path))) return path;
  const name = readLatest(fail);
  if (!NAME.test(name)) throw fail(`${LATEST_PATH} does not hold the name of a folder`);
  return join(RUNS_FOLDER, name);
}

/** No system has names with controls, or longer ones. */
const NAME = /^\P{Cc}{1,255}$/u;

function readLatest(fail: (reason: string) => LockstepError): string {
  try {
    return readText(LATEST_PATH).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fail((error as Error).message);
    throw fail(`no run has left its name in ${LATEST_PATH} here`);
  }
}

const readError = (path: string, reason: string): LockstepError =>
  new LockstepError('LOCKSTEP_WEIGHTS_READ', `cannot read --weights ${path}: ${reason}`);
