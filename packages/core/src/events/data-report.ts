/** What data are and how they were read: told before a run trains on them. */

/** A line on how data were read that a person should know. */
export interface Note {
  /** `guessed` from what the data look like, `left-out` of what is there, `warning`: odd, and read all the same. */
  readonly kind: 'guessed' | 'left-out' | 'warning';
  readonly text: string;
  /** Of a guess: the flag that says otherwise. */
  readonly flag?: string | undefined;
  /** Files, rows, columns or images that it is about. */
  readonly count?: number | undefined;
}

/** @param flag says otherwise */
export const guessed = (text: string, flag?: string): Note => ({ kind: 'guessed', text, ...(flag && { flag }) });

/** @param count of what is not read */
export const leftOut = (text: string, count: number): Note => ({ kind: 'left-out', text, count });

/** @param count of the images or classes that are odd */
export const warned = (text: string, count?: number): Note => ({
  kind: 'warning',
  text,
  ...(count !== undefined && { count }),
});

/** So many things of one kind: 400 `.png files`, 1,500 `rows of train.csv`. */
export interface Pieces {
  readonly of: string;
  readonly count: number;
}

export interface ClassCount {
  readonly name: string;
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

export interface DataReport {
  /** Of the dataset: a folder's, a file's, `mnist`. */
  readonly name: string;
  /** `1,200 + 300 images from DIR`. */
  readonly source: string;
  /** `a folder of pictures for each class`. */
  readonly form: string;
  /** What was read, by kind. */
  readonly pieces: readonly Pieces[];
  /** Which column, array, file or folder has the labels. */
  readonly labels: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Images of each part. */
  readonly train: number;
  readonly validation: number;
  readonly test: number;
  /** How the test set came about, and how the validation set did. */
  readonly testFrom: string;
  readonly validationFrom: string;
  /** `mean 0.1307, std 0.3081, dark ground, white 255`. */
  readonly pixels: string;
  readonly classes: readonly ClassCount[];
  readonly notes: readonly Note[];
  /** SHA-256, hex, of shape, images and labels. */
  readonly checksum: string;
}

/** Follows the start of a run. */
export interface DataEvent extends DataReport {
  readonly event: 'data';
}
