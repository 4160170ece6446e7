/** The usual words for the parts of a dataset, in names of files and arrays. */

const PART_WORDS = {
  test: ['test', 'testing'],
  validation: ['val', 'valid', 'validation'],
  train: ['train', 'training'],
} as const;

export type Part = keyof typeof PART_WORDS;

/** The words of a name in lower case: `digits_trainLatest2` is digits, train, latest. */
export const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '');

/** The part that a word means. */
export const partOfWord = (word: string): Part | undefined =>
  (Object.keys(PART_WORDS) as Part[]).find((part) => (PART_WORDS[part] as readonly string[]).includes(word));
