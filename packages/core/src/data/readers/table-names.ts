/** Which tables of a folder are its training, validation and test part, by the whole words of their names. */

import { guessed, leftOut, type Note } from '../../events/data-report.js';
import { type Part, partOfWord, wordsOf } from './part-words.js';

/** Names of files within a folder. */
export interface TableParts {
  readonly train: string;
  readonly validation?: string | undefined;
  readonly test?: string | undefined;
  /** For people: what was taken for what, and what is not read. */
  readonly notes: readonly Note[];
}

/** The part that a table's name says, by its last word of them. */
const partOf = (name: string): Part | undefined =>
  wordsOf(name.replace(/\.(csv|tsv)(\.gz)?$/i, ''))
    .flatMap((word) => partOfWord(word) ?? [])
    .at(-1);

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
  const notes = [guessed(`tables read: ${taken.filter(Boolean).join(', ')}`)];
  if (unused.length > 0) notes.push(leftOut(`tables not read: ${unused.join(', ')}`, unused.length));
  return { train, validation, test, notes };
}
