/** A folder with IDX files under the names of MNIST and of what followed it. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { LockstepError } from '../../errors/errors.js';
import { guessed, warned } from '../../events/data-report.js';
import { readWholeFile } from '../../files/whole-file.js';
import type { Dataset } from '../dataset/dataset.js';
import { gunzipIfPacked, peekIfPacked } from './gzip.js';
import { claimedIdxBytes } from './idx.js';
import { assembleIdxDataset, type IdxFile, type IdxFilePair } from './idx-dataset.js';
import { chooseIdxFiles, FOLDER_HELP, findIdxFolder, type IdxPair, readIdxName } from './idx-names.js';

export interface IdxOptions {
  /** Labels must be below; default: what the labels need, at least 10. */
  readonly classes?: number | undefined;
  /** Images to hold out as the test set, for data that has none. Default: a tenth. */
  readonly heldOut?: number | undefined;
}

/**
 * Loads any dataset in IDX files named as MNIST's are: `train-images-idx3-ubyte` or `train-images.idx3-ubyte`, and so
 * on (idx4 for images with channels), each with or without `.gz`; also as EMNIST, QMNIST and torchvision name and place
 * them, with `val` files, and without test files. Its name is the folder's.
 *
 * @param path the folder, or one of the files in it, where it has several datasets
 * @throws LockstepError LOCKSTEP_DATA_FOLDER, _FILE or _READ (missing or not readable), _GZIP, or what
 * `assembleIdxDataset` throws
 */
export async function loadIdxFolder(path: string, options: IdxOptions = {}): Promise<Dataset> {
  const named = readIdxName(basename(path));
  const folder = (named && findIdxFolder(dirname(path))) ?? findIdxFolder(path);
  if (folder === undefined) {
    throw new LockstepError('LOCKSTEP_DATA_FILE', `${path} has no IDX files. ${FOLDER_HELP}`);
  }
  const { train, validation, test, set } = chooseIdxFiles(folder, named?.set);
  const read = async (pair: IdxPair): Promise<IdxFilePair> => {
    const [images, labels] = await Promise.all(
      [pair.images, pair.labels].map((name) => readIdx(folder.directory, name)),
    );
    return { images: images as IdxFile, labels: labels as IdxFile };
  };
  const parts = await Promise.all([train, validation, test].map((pair) => pair && read(pair)));
  const files = { train: parts[0] as IdxFilePair, validation: parts[1], test: parts[2] };
  const notes = folder.directory === path || named ? [] : [guessed(`the IDX files are those in ${folder.directory}`)];
  const words = [set, basename(resolve(path)), relative(path, folder.directory)].join(' ');
  if (/emnist/i.test(words)) notes.push(warned(TRANSPOSED));
  return assembleIdxDataset(files, { name: basename(resolve(path)), origin: path, notes, ...options });
}

const TRANSPOSED = 'EMNIST stores its images with rows and columns swapped; they are used as they are stored';

/** Of a packed file, beyond what its header says: so that a file with a little more than that is told by its size. */
const SPARE_BYTES = 1 << 16;

async function readIdx(directory: string, name: string): Promise<IdxFile> {
  const path = join(directory, name);
  const packed = await readBytes(path);
  const start = peekIfPacked(packed);
  const claimed = claimedIdxBytes(start);
  // what has no header is refused by what it begins with
  if (claimed === undefined && start.length > 0) return { source: path, bytes: start };
  return { source: path, bytes: await gunzipIfPacked(packed, path, (claimed ?? 0) + SPARE_BYTES) };
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
