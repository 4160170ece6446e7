/** A folder with four IDX files under MNIST's names. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { LockstepError } from '../../errors/errors.js';
import { readWholeFile } from '../../files/whole-file.js';
import type { Dataset } from '../dataset/dataset.js';
import { gunzipIfPacked } from './gzip.js';
import { assembleIdxDataset, type IdxFile } from './idx-dataset.js';

/**
 * Loads any dataset in IDX files named as MNIST's are: `train-images-idx3-ubyte` or `train-images.idx3-ubyte`, and so
 * on (idx4 for images with channels), each with or without `.gz`. Its name is the folder's.
 *
 * @param classes labels must be below; default: what the labels need, at least 10
 * @throws LockstepError LOCKSTEP_DATA_FOLDER, _FILE or _READ (missing or not readable), _GZIP, or what
 * `assembleIdxDataset` throws
 */
export async function loadIdxFolder(directory: string, classes?: number): Promise<Dataset> {
  const names = await listFolder(directory);
  const read = (stem: string, ranks: readonly number[]) => readIdxFile(directory, names, stem, ranks);
  const [trainImages, trainLabels, testImages, testLabels] = await Promise.all([
    read('train-images', [3, 4]),
    read('train-labels', [1]),
    read('t10k-images', [3, 4]),
    read('t10k-labels', [1]),
  ]);
  const files = { trainImages, trainLabels, testImages, testLabels };
  return assembleIdxDataset(files, { name: basename(resolve(directory)), origin: directory, classes });
}

async function listFolder(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    throw new LockstepError(
      'LOCKSTEP_DATA_FOLDER',
      `cannot read the data folder ${directory} (${(error as NodeJS.ErrnoException).code}). ${FOLDER_HELP}`,
      { cause: error },
    );
  }
}

const FOLDER_HELP =
  'Give a folder with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, plain or .gz.';

async function readIdxFile(
  directory: string,
  names: readonly string[],
  stem: string,
  ranks: readonly number[],
): Promise<IdxFile> {
  const candidates = listCandidates(stem, ranks);
  const name = candidates.find((candidate) => names.includes(candidate));
  if (name === undefined) {
    throw new LockstepError(
      'LOCKSTEP_DATA_FILE',
      `${directory} has no ${stem} file: looked for ${candidates.join(', ')}. ${FOLDER_HELP}`,
    );
  }
  const path = join(directory, name);
  return { source: path, bytes: await gunzipIfPacked(await readBytes(path), path) };
}

function listCandidates(stem: string, ranks: readonly number[]): string[] {
  const plain = ranks.flatMap((rank) => [`${stem}-idx${rank}-ubyte`, `${stem}.idx${rank}-ubyte`]);
  return plain.flatMap((name) => [name, `${name}.gz`]);
}

/** Reads a file. @throws LockstepError LOCKSTEP_DATA_READ */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readAnySize(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const text =
      code === 'ERR_FS_FILE_TOO_LARGE'
        ? `${message}. Cut the data into less.`
        : `cannot read ${path} (${code}). Check that it is a file and that you may read it.`;
    throw new LockstepError('LOCKSTEP_DATA_READ', text, { cause: error });
  }
}

/** Without waiting for the disk, where Node can do that. */
async function readAnySize(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_FS_FILE_TOO_LARGE') throw error;
    return readWholeFile(path);
  }
}
