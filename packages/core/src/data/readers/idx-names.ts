/** Which IDX files of a folder are the images and labels of which part, under the names that such datasets have. */
import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LockstepError } from '../../errors/errors.js';
import { type Part, partOfWord } from './part-words.js';

export type IdxKind = 'images' | 'labels';

/** `emnist-letters-train-images-idx3-ubyte.gz`. */
interface IdxName {
  /** Words before the part: `emnist-letters`; empty for MNIST's names. */
  readonly set: string;
  readonly part: Part;
  readonly kind: IdxKind;
}

const NAME = /^(?:(.+)[-_.])?([a-z0-9]+)[-_.](images|labels)[-.]idx\d-(?:ubyte|int)(?:\.gz)?$/i;
/** What MNIST calls its test part. */
const T10K = 't10k';
/** Folders in which downloads of datasets leave their files. */
const INNER = ['raw', 'gzip'];

export function readIdxName(name: string): IdxName | undefined {
  const [, set = '', word = '', kind = ''] = NAME.exec(name) ?? [];
  const part = word.toLowerCase() === T10K ? 'test' : partOfWord(word.toLowerCase());
  return part && { set: set.toLowerCase(), part, kind: kind.toLowerCase() as IdxKind };
}

/** The IDX files of a folder. */
export interface IdxFolder {
  /** Where they are: the folder itself, or one below it. */
  readonly directory: string;
  /** Their names in it: of a file, or of a folder and a file in that. */
  readonly names: readonly string[];
}

/**
 * The IDX files in a folder; else those in `raw` or `gzip`, in the folder or in one below it, as torchvision and EMNIST leave
 * them. Folders that are named like files are no files; what is in them counts. Undefined where there are none.
 *
 * @throws LockstepError LOCKSTEP_DATA_FOLDER when it cannot be read; LOCKSTEP_DATA_FILE when several folders have some
 */
export function findIdxFolder(directory: string): IdxFolder | undefined {
  const { files, folders } = listEntries(directory);
  const named = folders.filter((name) => readIdxName(name) !== undefined);
  const inside = named.flatMap((folder) =>
    listEntries(join(directory, folder)).files.map((name) => join(folder, name)),
  );
  const names = [...files, ...inside].filter((name) => readIdxName(lastOf(name)) !== undefined);
  if (names.length > 0) return { directory, names };
  const inner = folders.flatMap((name) => (INNER.includes(name) ? [name] : INNER.map((last) => join(name, last))));
  const found = inner
    .map((name) => join(directory, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory())
    .flatMap((path) => {
      const own = listEntries(path).files.filter((name) => readIdxName(name) !== undefined);
      return own.length > 0 ? [{ directory: path, names: own }] : [];
    });
  if (found.length > 1) {
    const paths = found.map((one) => one.directory).join(', ');
    throw new LockstepError('LOCKSTEP_DATA_FILE', `${directory} has IDX files in ${paths}. Give one of these folders.`);
  }
  return found[0];
}

const lastOf = (name: string): string => name.split(/[/\\]/).at(-1) as string;

function listEntries(directory: string): { readonly files: string[]; readonly folders: string[] } {
  const entries = readEntries(directory);
  const isFolder = (entry: Dirent): boolean =>
    entry.isDirectory() ||
    (entry.isSymbolicLink() &&
      statSync(join(directory, entry.name), { throwIfNoEntry: false })?.isDirectory() === true);
  const [folders, files] = [entries.filter(isFolder), entries.filter((entry) => !isFolder(entry))];
  return { files: files.map(({ name }) => name).sort(), folders: folders.map(({ name }) => name).sort() };
}

function readEntries(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    throw new LockstepError(
      'LOCKSTEP_DATA_FOLDER',
      `cannot read the data folder ${directory} (${(error as NodeJS.ErrnoException).code}). ${FOLDER_HELP}`,
      { cause: error },
    );
  }
}

export const FOLDER_HELP =
  'Give a folder with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, plain or .gz.';

/** Names of the files of a part. */
export type IdxPair = Readonly<Record<IdxKind, string>>;

export interface IdxParts {
  readonly train: IdxPair;
  readonly validation?: IdxPair | undefined;
  readonly test?: IdxPair | undefined;
  readonly set: string;
}

/**
 * The files to read. Where there are several datasets, as in EMNIST's archive, `wanted` says which, or it is an error.
 *
 * @throws LockstepError LOCKSTEP_DATA_FILE
 */
export function chooseIdxFiles({ directory, names }: IdxFolder, wanted?: string): IdxParts {
  const known = names.flatMap((name) => {
    const read = readIdxName(lastOf(name));
    return read === undefined ? [] : [{ name, ...read }];
  });
  const keyOf = ({ part, kind }: Pick<IdxName, 'part' | 'kind'>): string => `${part} ${kind}`;
  const sets = [...new Set(known.map(({ set }) => set))].sort();
  const isMixed = known.some((one) => known.some((other) => keyOf(one) === keyOf(other) && one.set !== other.set));
  const find = (set: string | undefined, part: Part, kind: IdxKind): string | undefined =>
    known
      .filter((one) => one.part === part && one.kind === kind && (set === undefined || one.set === set))
      .sort((a, b) => orderOf(a.name) - orderOf(b.name) || (a.name < b.name ? -1 : 1))[0]?.name;
  const whole = sets.filter((set) => (['images', 'labels'] as const).every((kind) => find(set, 'train', kind)));
  const set = isMixed ? (wanted ?? (whole.length === 1 ? whole[0] : undefined)) : undefined;
  if (isMixed && set === undefined) {
    const first = find(whole[0], 'train', 'images') ?? known[0]?.name;
    throw fileError(
      `${directory} has IDX files of more than one dataset: ${sets.map((name) => name || 'MNIST').join(', ')}. Give a file of the one that is meant, such as --data ${join(directory, String(first))}.`,
    );
  }
  const stem = (part: string): string => (set ? `${set}-${part}` : part);
  const pair = (part: Part, word: string): IdxPair | undefined => {
    const [images, labels] = [find(set, part, 'images'), find(set, part, 'labels')];
    if (images !== undefined && labels !== undefined) return { images, labels };
    if (images === undefined && labels === undefined && part !== 'train') return undefined;
    const kind = images === undefined ? 'images' : 'labels';
    const looked = listNames(`${stem(word)}-${kind}`, kind).join(', ');
    throw fileError(`${directory} has no ${stem(word)}-${kind} file: looked for ${looked}. ${FOLDER_HELP}`);
  };
  const train = pair('train', 'train') as IdxPair;
  return { train, validation: pair('validation', 'val'), test: pair('test', T10K), set: set ?? sets.join(' ') };
}

/** Of several files for one thing: none in a folder of its own, t10k before test, a hyphen before a dot, plain before packed. */
const orderOf = (name: string): number =>
  [lastOf(name) !== name, !lastOf(name).includes(T10K), /idx4/.test(name), /\.idx/.test(name), /\.gz$/.test(name)]
    .map(Number)
    .reduce((order, bit) => 2 * order + bit, 0);

function listNames(stem: string, kind: IdxKind): string[] {
  const ranks = kind === 'images' ? [3, 4] : [1];
  const plain = ranks.flatMap((rank) => [`${stem}-idx${rank}-ubyte`, `${stem}.idx${rank}-ubyte`]);
  return plain.flatMap((name) => [name, `${name}.gz`]);
}

const fileError = (text: string): LockstepError => new LockstepError('LOCKSTEP_DATA_FILE', text);
