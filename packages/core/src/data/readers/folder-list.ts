/** Finds the pictures of a folder with a folder for each class, directly or under train/, val/ and test/. */
import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { LockstepError } from '../../errors/errors.js';
import { guessed, leftOut, type Note } from '../../events/data-report.js';
import { countOf } from '../../text/count-text.js';
import { CONVERSION, isImageName, isUnreadImageName, KINDS_AND, KINDS_OR } from '../pictures/image-names.js';

/** An image file, and the class whose folder it is in. */
export interface ClassFile {
  readonly path: string;
  readonly className: string;
}

/** The image files of a dataset, those of each part in the order of their classes and paths. */
export interface ImageFolder {
  readonly directory: string;
  readonly parts: {
    readonly train: readonly ClassFile[];
    readonly validation?: readonly ClassFile[] | undefined;
    readonly test?: readonly ClassFile[] | undefined;
  };
  /** For people: what was left out, and what was taken for what. */
  readonly notes: readonly Note[];
}

/** Names of a part's folder, in any case. */
const PART_NAMES = {
  train: ['train', 'training'],
  validation: ['val', 'valid', 'validation'],
  test: ['test', 'testing'],
} as const;

/**
 * Lists the images of a folder: a folder per class under `train` (and `val` and `test`, where they are there; other usual
 * names and capitals are known), or else under the folder itself. A class has the images of all folders below its own.
 * Names that start with a dot are passed over. Without `test`, `val` is the test set. Undefined when there is no folder
 * with images.
 *
 * @throws LockstepError LOCKSTEP_DATA_CLASSES when a class has no images, or there are none to train on; _READ
 */
export function listImageFolder(directory: string): ImageFolder | undefined {
  const names = listEntries(directory).folders;
  const find = (part: keyof typeof PART_NAMES): string | undefined =>
    PART_NAMES[part].flatMap((known) => names.filter((name) => name.toLowerCase() === known))[0];
  const trainName = find('train');
  const unread = new Map<string, number>();
  if (trainName === undefined) {
    const train = listClasses(directory, names, unread);
    return train.length > 0 ? { directory, parts: { train }, notes: noteLeftOut(directory, unread) } : undefined;
  }
  const listPart = (name: string): readonly ClassFile[] => {
    const path = join(directory, name);
    const files = listClasses(path, listEntries(path).folders, unread);
    if (files.length === 0) throw classError(`${path} has no folder with ${KINDS_OR} images`);
    return files;
  };
  const [valName, testName] = [find('validation'), find('test')];
  const train = listPart(trainName);
  const val = valName === undefined ? undefined : listPart(valName);
  const test = testName === undefined ? val : listPart(testName);
  const validation = testName === undefined ? undefined : val;
  const others = names.filter((name) => ![trainName, valName, testName].includes(name));
  const notes = noteLeftOut(directory, unread);
  if (others.length > 0) notes.push(leftOut(`not read, beside ${trainName}: ${others.join(', ')}`, others.length));
  if (testName === undefined && valName !== undefined) {
    notes.push(guessed(`${directory} has no test folder: ${valName} is the test set`));
  }
  return { directory, parts: { train, validation, test }, notes };
}

/** Whether two folders or more are there, directly or under a part's, and each of them has images. */
export function hasClasses(directory: string): boolean {
  try {
    const { train = [] } = listImageFolder(directory)?.parts ?? {};
    return new Set(train.map(({ className }) => className)).size > 1;
  } catch (error) {
    if (error instanceof LockstepError) return false;
    throw error;
  }
}

interface Entries {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

/** What stands in a folder, links followed, sorted. */
function listEntries(directory: string): Entries {
  const entries = readFolder(directory).filter(({ name }) => !name.startsWith('.'));
  const isFolder = (entry: Dirent): boolean =>
    entry.isDirectory() || (entry.isSymbolicLink() && leadsToFolder(join(directory, entry.name)));
  const folders = entries.filter(isFolder);
  const files = entries.filter((entry) => !folders.includes(entry));
  return { folders: folders.map(({ name }) => name).sort(), files: files.map(({ name }) => name).sort() };
}

function readFolder(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const text = `cannot read the folder ${directory} (${code}). Check that you may read it.`;
    throw new LockstepError('LOCKSTEP_DATA_READ', text, { cause: error });
  }
}

/** A link to a folder that it lies in itself leads round in a circle. */
function leadsToFolder(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return false;
  return !realpathSync(join(path, '..')).concat(sep).startsWith(realpathSync(path).concat(sep));
}

function listClasses(directory: string, classNames: readonly string[], unread: Map<string, number>): ClassFile[] {
  const lists = classNames.map((className) => {
    const root = join(directory, className);
    const files = listFiles(root).sort((a, b) => (relative(root, a) < relative(root, b) ? -1 : 1));
    return { images: files.filter(isImageName), others: files.filter((path) => !isImageName(path)) };
  });
  if (lists.every(({ images }) => images.length === 0)) return [];
  const empty = lists.findIndex(({ images }) => images.length === 0);
  if (empty >= 0) {
    const found = countEndings((lists[empty] as (typeof lists)[number]).others);
    const instead = found.size === 0 ? '' : `, but ${describeEndings(found)}`;
    throw classError(
      `the class folder ${join(directory, classNames[empty] as string)} has no ${KINDS_OR} images${instead}`,
    );
  }
  countEndings(
    lists.flatMap(({ others }) => others),
    unread,
  );
  return lists.flatMap(({ images }, index) => images.map((path) => ({ path, className: classNames[index] as string })));
}

/** All files below a folder. */
function listFiles(directory: string): string[] {
  const { folders, files } = listEntries(directory);
  return [
    ...files.map((name) => join(directory, name)),
    ...folders.flatMap((name) => listFiles(join(directory, name))),
  ];
}

/** Why a folder is none of pictures, where somebody may have meant it: `: ...`, or nothing. */
export function explainNoPictures(directory: string): string {
  const { folders, files } = listEntries(directory);
  const loose = files.filter(isImageName).length;
  if (loose > 0)
    return `: ${countOf(loose, 'image')} in it, and no folder for each class, whose name says what they show`;
  const found = countEndings(folders.flatMap((name) => listFiles(join(directory, name))));
  return found.size === 0 ? '' : `: no PNG or JPEG image in these folders, but ${describeEndings(found)}`;
}

/** Files by ending, in small letters. */
export function countEndings(paths: readonly string[], counts = new Map<string, number>()): Map<string, number> {
  for (const path of paths) {
    const ending = extname(path).toLowerCase();
    counts.set(ending, (counts.get(ending) ?? 0) + 1);
  }
  return counts;
}

/** `150 .bmp, 3 without an ending`. */
const describeEndings = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([ending, count]) => `${count} ${ending === '' ? 'without an ending' : ending}`).join(', ');

function noteLeftOut(directory: string, counts: ReadonlyMap<string, number>): Note[] {
  if (counts.size === 0) return [];
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [
    leftOut(
      `${countOf(total, 'file')} in the class folders of ${directory} left out: ${describeEndings(counts)}; ${KINDS_AND} images are read${adviseOn([...counts.keys()])}`,
      total,
    ),
  ];
}

/** What to do about pictures among the endings. */
const adviseOn = (endings: readonly string[]): string =>
  endings.some(isUnreadImageName)
    ? `, and \`${CONVERSION} *${endings.find(isUnreadImageName)}\` makes such of others`
    : '';

const classError = (text: string): LockstepError =>
  new LockstepError(
    'LOCKSTEP_DATA_CLASSES',
    `${text}. Give a folder for each class, with its images in it, directly or under train/ and test/.`,
  );
