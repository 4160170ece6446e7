/** Which arrays are the images and the labels of which part, by the words of their names. */
import { guessed, leftOut, type Note } from '../../events/data-report.js';
import { type Part, partOfWord, wordsOf } from '../readers/part-words.js';

/** In the order in which they are taken where there are several. */
const KIND_WORDS = {
  images: ['images', 'image', 'imgs', 'img', 'x', 'data', 'pixels', 'inputs', 'features'],
  labels: ['labels', 'label', 'y', 'targets', 'target', 'classes'],
} as const;

export type ArrayKind = keyof typeof KIND_WORDS;

/** Names for one another, for a person who has others. */
export const KNOWN_NAMES = 'x_train and y_train; train_images and train_labels; images and labels; x and y';

export interface ArrayName {
  readonly kind: ArrayKind | undefined;
  /** The place of its word among those of its kind. */
  readonly rank: number;
  readonly part: Part | undefined;
  /** Words that mean nothing here, joined. */
  readonly rest: string;
}

/** What a name says: `X_train`, `trainImages`, `val.labels`, `xtest`; of several words for one thing the last. */
export function readArrayName(name: string): ArrayName {
  const words = wordsOf(name).flatMap((word) => /^([xy])(train|test|val)$/.exec(word)?.slice(1) ?? word);
  const kindWord = words.filter((word) => kindOfWord(word) !== undefined).at(-1);
  const kind = kindWord === undefined ? undefined : kindOfWord(kindWord);
  return {
    kind,
    rank: kind === undefined ? 0 : (KIND_WORDS[kind] as readonly string[]).indexOf(kindWord as string),
    part: words.flatMap((word) => partOfWord(word) ?? []).at(-1),
    rest: words.filter((word) => kindOfWord(word) === undefined && partOfWord(word) === undefined).join(' '),
  };
}

const kindOfWord = (word: string): ArrayKind | undefined =>
  (Object.keys(KIND_WORDS) as ArrayKind[]).find((kind) => (KIND_WORDS[kind] as readonly string[]).includes(word));

/** Names of the arrays of a part. */
export interface ArrayPair {
  readonly images: string;
  readonly labels: string;
}

export type ArrayParts = Partial<Record<Part, ArrayPair>>;

/** Images and labels by part, of arrays with these names; a pair that names no part is for training. */
export function pairArrays(arrays: ReadonlyMap<string, ArrayName>): ArrayParts {
  const find = (kind: ArrayKind, part: Part | undefined): string | undefined =>
    [...arrays]
      .filter(([, array]) => array.kind === kind && array.part === part)
      .sort(([, a], [, b]) => a.rank - b.rank)[0]?.[0];
  const pair = (part: Part | undefined): ArrayPair | undefined => {
    const [images, labels] = [find('images', part), find('labels', part)];
    return images === undefined || labels === undefined ? undefined : { images, labels };
  };
  const [train, validation, test] = [pair('train') ?? pair(undefined), pair('validation'), pair('test')];
  return { ...(train && { train }), ...(validation && { validation }), ...(test && { test }) };
}

/** For people: what was taken for what, and what is not read. @param how it was found out, after a comma */
export function describePairs(parts: ArrayParts, names: readonly string[], how = ''): Note[] {
  const taken = (['train', 'validation', 'test'] as const).flatMap((part) => {
    const pair = parts[part];
    const name = part === 'train' ? 'training' : part;
    return pair === undefined ? [] : [`${name} images ${pair.images} with labels ${pair.labels}`];
  });
  const used = Object.values(parts).flatMap(({ images, labels }) => [images, labels]);
  const unused = names.filter((name) => !used.includes(name));
  const read = guessed(`arrays read: ${taken.join(', ')}${how}`);
  return unused.length === 0 ? [read] : [read, leftOut(`arrays not read: ${unused.join(', ')}`, unused.length)];
}
