/** A dataset in memory: three splits of uint8 images and labels, with what a run must know about them. */

import { createHash } from 'node:crypto';
import { assert } from '../../errors/errors.js';
import type { Note, Pieces } from '../../events/data-report.js';
import { hashWhole } from '../../files/whole-file.js';
import { countOf } from '../../text/count-text.js';
import type { PictureRules } from '../pictures/picture-rules.js';
import type { DataOrigin } from './data-origin.js';

/** Labels are uint8. */
export const MAX_CLASSES = 256;

/**
 * A split: images are uint8, [count][channels][height][width] row-major; labels are uint8. Both over
 * SharedArrayBuffers so that worker threads read them without copies.
 */
export interface Split {
  readonly count: number;
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/** What drawings lie on; `mixed` where that cannot be said. */
export const grounds = ['dark', 'light', 'mixed'] as const;
export type Ground = (typeof grounds)[number];

/** How a dataset was read, for its report. */
export interface Reading {
  /** `a folder of pictures for each class`. */
  readonly form: string;
  /** Which column, array, file or folder has the labels. */
  readonly labels: string;
  /** What was read, by kind; the images, where it does not matter what they were in. */
  readonly pieces?: readonly Pieces[] | undefined;
  /** Whether the validation images come from a part of their own. */
  readonly hasValidation?: boolean | undefined;
}

export interface Dataset {
  /** `mnist`, `mnist-sample`, or the name of the folder it came from. */
  readonly name: string;
  /** For people: `60,000 + 10,000 images from DIR`. */
  readonly source: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
  /** One per class; default: their numbers. */
  readonly classNames?: readonly string[];
  /** Images that were held out for `test`, when the data came without a test set. */
  readonly heldOut?: number;
  /** Whether the images were brought to this size by --resize. */
  readonly isResized?: boolean;
  /** Pixel value v becomes (v/255 - mean)/std; one pair per channel. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** What its images lie on, where that was said; else it is measured. */
  readonly ground?: Ground | undefined;
  /** The pixel value that stands for white, 1 to 255, where that is known; else it is measured. */
  readonly white?: number | undefined;
  /** Of images whose files left that open: what transparent parts were laid on, white in 16 bits, how a row is an image. */
  readonly pictures?: PictureRules | undefined;
  readonly train: Split;
  /** Count 0 unless held out. */
  readonly validation: Split;
  readonly test: Split;
  /** SHA-256 hex over shape, images and labels of train, validation and test: same data, same hash. */
  readonly checksum: string;
  /** Where it came from, and how it was read there; a program's own data has none. */
  readonly origin?: DataOrigin | undefined;
  /** How it was read; a program's own data was not. */
  readonly reading?: Reading | undefined;
  /** For people: what was left out and guessed when it was read, and what is odd about it. */
  readonly notes?: readonly Note[] | undefined;
  /** A loud notice for people, when the data is not what they would expect. */
  readonly notice?: string;
}

/** A split of zeros, to be filled in. */
export function allocateSplit(count: number, sampleBytes: number): Split {
  return {
    count,
    images: new Uint8Array(new SharedArrayBuffer(count * sampleBytes)),
    labels: new Uint8Array(new SharedArrayBuffer(count)),
  };
}

/** Completes a dataset with its checksum. The splits' sizes must fit the shape. */
export function createDataset(parts: Omit<Dataset, 'checksum'>): Dataset {
  const sampleBytes = parts.channels * parts.height * parts.width;
  for (const { count, images, labels } of [parts.train, parts.validation, parts.test]) {
    assert(
      images.length === count * sampleBytes && labels.length === count,
      () =>
        `a split of ${countOf(count, 'image')} of ${countOf(sampleBytes, 'byte')} has ${countOf(images.length, 'pixel')} and ${countOf(labels.length, 'label')}`,
    );
  }
  return { ...parts, checksum: computeChecksum(parts) };
}

/** A dataset with more notes, after those that it has. */
export const withNotes = (dataset: Dataset, notes: readonly Note[]): Dataset =>
  notes.length === 0 ? dataset : { ...dataset, notes: [...(dataset.notes ?? []), ...notes] };

/** The sizes go first, as text, so that no two datasets of different shapes feed the hash the same bytes. */
function computeChecksum(dataset: Omit<Dataset, 'checksum'>): string {
  const { channels, height, width, classes, train, validation, test } = dataset;
  const sizes = [channels, height, width, classes, train.count, validation.count, test.count];
  const hash = createHash('sha256').update(`lockstep dataset ${sizes.join(' ')}\n`);
  for (const split of [train, validation, test]) hashWhole(hashWhole(hash, split.images), split.labels);
  return hash.digest('hex');
}
