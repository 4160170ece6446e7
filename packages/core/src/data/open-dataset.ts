/**
 * One door to a user's data: tells its form by content and reads it, from the cache when it was read before. What reads a
 * form is loaded with the first data of that form, since the libraries beneath it take long to load.
 */
import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { isText } from '../errors/checks.js';
import { LockstepError } from '../errors/errors.js';
import { guessed, leftOut, type Note } from '../events/data-report.js';
import { findCacheFolder } from '../files/cache-folder.js';
import { checkArgument, checkOptions } from '../spec/check-options.js';
import { type ArrayPlace, findBeside, findInside, isArrayName } from './arrays/file-list.js';
import { hashSources, readCachedDataset, type SourceFile, writeCachedDataset } from './data-cache.js';
import { type DataOptions, dataSchema } from './data-options.js';
import { areNames } from './dataset/class-names.js';
import { originAt } from './dataset/data-origin.js';
import { type Dataset, withNotes } from './dataset/dataset.js';
import { finishOwnData, type LabelledImages, type OwnData } from './dataset/own-data.js';
import { findOddities } from './oddities.js';
import { keepRows } from './pictures/pixel-form.js';
import { FULL_WHITE } from './pixels/pixels.js';
import { resizeDataset } from './pixels/resize.js';
import { loadIdxFolder, readBytes } from './readers/idx-folder.js';
import { findIdxFolder, readIdxName } from './readers/idx-names.js';
import type { ImageSize } from './readers/image-list.js';
import { findTables, type TableParts } from './readers/table-names.js';

/** How to read one kind of data, once it is known what files it is made of. */
interface Reader {
  readonly files: readonly SourceFile[];
  readonly read: () => Promise<OwnData>;
  /** The value that stands for white in such files; tables and arrays may have any. */
  readonly white?: number;
  /** For people: what was left out, and what was guessed. */
  readonly notes?: readonly Note[];
}

/**
 * Opens data at a path:
 *
 * - a folder with IDX files under MNIST's names, or one of such files where the folder has several datasets;
 * - a folder with a folder of pictures per class, directly or under `train` and `test`;
 * - a CSV file, or a folder with one whose name contains `train` (and one with `test`), plain or .gz;
 * - an .npz file, or files of NumPy's arrays beside one another.
 *
 * Pixels of all but IDX files are normalized by the training images' own mean and standard deviation. Data without a
 * test set gives a part of its images for one.
 *
 * @throws LockstepError LOCKSTEP_OPTION for an option that is not allowed; LOCKSTEP_DATA_PATH (nothing of these), LOCKSTEP_DATA_IMAGE, _CSV, _NPZ, _CLASSES, _SHAPE, _READ,
 *   _GZIP, _VALIDATION, or what `loadIdxFolder` throws
 */
export async function openDataset(path: string, options: DataOptions = {}): Promise<Dataset> {
  checkArgument('path', path, isText);
  checkOptions(dataSchema, options);
  const dataset = await readDataset(path, options);
  const { heldOut, classNames } = dataset;
  // with names that say something a run that goes on reads other data by them
  const named = classNames !== undefined && areNames(classNames) ? { classNames } : {};
  return { ...dataset, origin: originAt(path, { ...options, ...named, heldOut }) };
}

async function readDataset(path: string, options: DataOptions): Promise<Dataset> {
  const kind = statSync(path, { throwIfNoEntry: false });
  if (kind === undefined) throw pathError(`there is nothing at ${path}`);
  const reader = kind.isDirectory() ? await findInFolder(path, options) : findByName(path, options);
  const { resize } = options;
  if (reader !== 'idx') {
    const dataset = withResized(await readOrRecall(path, reader, options), resize);
    const { white } = reader;
    const notes = [...(reader.notes ?? []), ...(dataset.notes ?? [])];
    return { ...dataset, ...(white !== undefined && { white }), ...(notes.length > 0 && { notes }) };
  }
  const { classes, heldOut } = options;
  const idx = await loadIdxFolder(path, { classes, heldOut });
  const dataset = withNotes(idx, findOddities(idx));
  return resize === undefined ? dataset : withResized(resizeDataset(dataset, resize), resize);
}

const withResized = (dataset: Dataset, resize: ImageSize | undefined): Dataset =>
  resize === undefined ? dataset : { ...dataset, isResized: true };

const FORMS =
  'Give a folder with IDX files (train-images-idx3-ubyte and so on), a folder with a folder of pictures for each class, a .csv file or an .npz file';

const pathError = (text: string): LockstepError => new LockstepError('LOCKSTEP_DATA_PATH', `${text}. ${FORMS}.`);

async function findInFolder(directory: string, options: DataOptions): Promise<Reader | 'idx'> {
  const names = (await readdir(directory)).sort();
  if (findIdxFolder(directory) !== undefined) return 'idx';
  const tables = names.filter(isTableName);
  const folder = await findImages(directory, tables, options);
  if (folder !== undefined) return folder;
  const parts = findTables(tables);
  if (parts !== undefined) return readTables(directory, parts, options);
  const arrays = findInside(directory, names);
  if (arrays !== undefined) return readArrays(directory, arrays, options);
  const { explainNoPictures } = await import('./readers/folder-list.js');
  throw pathError(`${directory} holds ${describeNames(names)}, which is no dataset${explainNoPictures(directory)}`);
}

/** Class folders are what was meant where there are any; tables beside them are told. */
async function findImages(
  directory: string,
  tables: readonly string[],
  options: DataOptions,
): Promise<Reader | undefined> {
  const { hasClasses, listImageFolder } = await import('./readers/folder-list.js');
  // a table with other folders beside it, such as one of plots
  if (tables.length > 0 && !hasClasses(directory)) return undefined;
  const folder = listImageFolder(directory);
  if (folder === undefined) return undefined;
  const { train, test = [], validation = [] } = folder.parts;
  const beside =
    tables.length === 0 ? [] : [leftOut(`not read, beside the class folders: ${tables.join(', ')}`, tables.length)];
  return {
    files: [...train, ...test, ...validation].map(({ path }) => ({ name: relative(directory, path), path })),
    read: async () => {
      const { readImageFolder } = await import('./readers/image-folder.js');
      return readImageFolder(folder, options, (done, total) => report(options, done, total));
    },
    white: FULL_WHITE,
    notes: [...folder.notes, ...beside],
  };
}

const isTableName = (name: string): boolean => /\.(csv|tsv)(\.gz)?$/i.test(name);

const describeNames = (names: readonly string[]): string =>
  names.length === 0 ? 'nothing' : names.slice(0, 4).join(', ') + (names.length > 4 ? ', ...' : '');

function findByName(path: string, options: DataOptions): Reader | 'idx' {
  if (readIdxName(basename(path)) !== undefined) return 'idx';
  if (isTableName(path)) return readTables(dirname(path), { train: basename(path), notes: [] }, options, path);
  if (!isArrayName(path)) throw pathError(`${path} is neither a folder nor a .csv or .npz file`);
  return readArrays(path, findBeside(path), options);
}

function readArrays(origin: string, places: readonly ArrayPlace[], options: DataOptions): Reader {
  const { resize, csvShape: shape, csvLayout: layout, pictures } = options;
  const read = async (): Promise<OwnData> => {
    const { readNpz } = await import('./arrays/npz.js');
    const load = async (place: ArrayPlace) => ({ ...place, bytes: await readBytes(place.path) });
    const files = await Promise.all(places.map(load));
    return { name: basename(origin), origin, ...readNpz(files, { resize, shape, layout, pictures }) };
  };
  return { files: places.map(({ path }) => ({ name: basename(path), path })), read };
}

function readTables(directory: string, parts: TableParts, options: DataOptions, origin = directory): Reader {
  const { train, validation, test, notes } = parts;
  const pathOf = (name: string): string => join(directory, name);
  const read = async (): Promise<OwnData> => {
    const { readCsv } = await import('./readers/csv.js');
    const { labelColumn, csvShape: shape, csvLayout: layout, resize, pictures } = options;
    const onCount = (done: number, total: number): void => report(options, done, total);
    const form = { labelColumn, shape, layout, rows: pictures?.rows, resize, onCount };
    const first = await readCsv(pathOf(train), form);
    const { channels, height, width, layout: order = 'chw' } = first.columns;
    const rows = keepRows({ channels, height, width, layout: order });
    const readOther = (name: string | undefined) =>
      name === undefined ? undefined : readCsv(pathOf(name), { ...form, beside: first.columns });
    const others = [await readOther(validation), await readOther(test)];
    const told = [first, ...others].flatMap((table) => table?.notes ?? []);
    const part = others[1]?.images === undefined ? { test: others[0]?.images } : undefined;
    if (validation !== undefined && part?.test !== undefined) {
      told.push(guessed(`${directory} has no test table: ${validation} is the test set`));
    }
    return {
      name: basename(origin),
      origin,
      train: first.images as LabelledImages,
      reading: {
        form: 'tables with a row for each image',
        labels: first.labels,
        pieces: [first, ...others].flatMap((table, index) =>
          table?.images === undefined
            ? []
            : [{ of: `rows of ${[train, validation, test][index]}`, count: table.images.labels.length }],
        ),
      },
      ...(rows && { pictures: { rows } }),
      ...(part ?? { validation: others[0]?.images, test: others[1]?.images }),
      notes: told,
    };
  };
  const names = [train, validation, test].filter((name) => name !== undefined);
  return { files: names.map((name) => ({ name, path: pathOf(name) })), read, notes };
}

const report = ({ onProgress }: DataOptions, done: number, total: number): void =>
  onProgress?.({ phase: 'reading', done, total });

async function readOrRecall(path: string, { files, read }: Reader, options: DataOptions): Promise<Dataset> {
  const { resize, channels, labelColumn, csvShape, csvLayout, heldOut, classNames, pictures } = options;
  const { onWarning = () => {} } = options;
  const settings = { resize, channels, labelColumn, csvShape, csvLayout, heldOut, classNames, pictures };
  const key = await hashSources(files, settings, (done, total) =>
    options.onProgress?.({ phase: 'checking', done, total }),
  );
  const folder = join(options.cacheDirectory ?? findCacheFolder(), 'data', key);
  const known = readCachedDataset(folder, path, onWarning);
  if (known !== undefined) return known;
  const finished = finishOwnData(await read(), { heldOut, classNames });
  const dataset = withNotes(finished, findOddities(finished));
  writeCachedDataset(folder, dataset, onWarning);
  return dataset;
}
