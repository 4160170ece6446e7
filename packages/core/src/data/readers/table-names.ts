/** Which tables of a folder are its training, validation and test part, by the whole words of their names. */

/** Names of files within a folder. */
export interface TableParts {
  readonly train: string;
  readonly validation?: string | undefined;
  readonly test?: string | undefined;
  /** For people: what was taken for what, and what is not read. */
  readonly notes: readonly string[];
}

const PART_WORDS = {
  test: ['test', 'testing'],
  validation: ['val', 'valid', 'validation'],
  train: ['train', 'training'],
} as const;

type Part = keyof typeof PART_WORDS;

/** `digits_trainLatest2.csv.gz`: digits, train, latest. */
const wordsOf = (name: string): string[] =>
  name
    .replace(/\.(csv|tsv)(\.gz)?$/i, '')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);

/** The part that a table's name says, by its last word of them. */
export function partOf(name: string): Part | undefined {
  const parts = Object.entries(PART_WORDS) as [Part, readonly string[]][];
  const said = wordsOf(name).flatMap((word) => parts.filter(([, words]) => words.includes(word)).map(([part]) => part));
  return said.at(-1);
}

/**
 * The tables to read: one for each part that a name says, in the order of the names; a table that stands alone is the
 * training part. No table is two parts. Undefined where there is none to train on.
 */
export function findTables(names: readonly string[]): TableParts | undefined {
  const find = (part: Part): string | undefined => names.find((name) => partOf(name) === part);
  const train =
    find('train') ?? (names.length === 1 && partOf(names[0] as string) === undefined ? names[0] : undefined);
  if (train === undefined) return undefined;
  const [validation, test] = [find('validation'), find('test')];
  const used = [train, validation, test].filter((name) => name !== undefined);
  const unused = names.filter((name) => !used.includes(name));
  const taken = [`training ${train}`, validation && `validation ${validation}`, test && `test ${test}`];
  const notes = [`tables read: ${taken.filter(Boolean).join(', ')}`];
  if (unused.length > 0) notes.push(`tables not read: ${unused.join(', ')}`);
  return { train, validation, test, notes };
}
