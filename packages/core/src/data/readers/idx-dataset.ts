/** Puts a dataset together from the bytes of IDX files. */

import { basename } from 'node:path';
import { LockstepError } from '../../errors/errors.js';
import { guessed, type Note, warned } from '../../events/data-report.js';
import { countOf } from '../../text/count-text.js';
import { allocateSplit, createDataset, type Dataset, type Split } from '../dataset/dataset.js';
import { pick, planTestSet } from '../dataset/hold-out.js';
import { MNIST_MEAN, MNIST_STD } from '../dataset/normalization.js';
import { describeSource } from '../dataset/own-data.js';
import { countIdxColumns, type IdxImages, parseIdxImages, parseIdxLabels } from './idx.js';

/** A file's uncompressed bytes, and its name for errors. */
export interface IdxFile {
  readonly source: string;
  readonly bytes: Uint8Array;
}

export interface IdxFilePair {
  readonly images: IdxFile;
  readonly labels: IdxFile;
}

export interface IdxFiles {
  readonly train: IdxFilePair;
  readonly validation?: IdxFilePair | undefined;
  readonly test?: IdxFilePair | undefined;
}

export interface IdxDatasetOptions {
  readonly name: string;
  /** For people, where the files came from: `DIR`. */
  readonly origin: string;
  /** Labels must be below; default: what the labels need, at least 10. */
  readonly classes?: number | undefined;
  /** Images to hold out as the test set, for data that has none. Default: a tenth. */
  readonly heldOut?: number | undefined;
  /** For people: what was guessed when the files were found. */
  readonly notes?: readonly Note[] | undefined;
}

/** MNIST's, so that a folder which happens to hold no 9 still fits a model of ten classes. */
const MIN_CLASSES = 10;

/**
 * Parses the files and checks them against one another. Pixels are normalized as MNIST's whatever the images show, so
 * that weights mean the same on every folder. Without a test part the validation part is it, or a part is held out.
 *
 * @throws LockstepError LOCKSTEP_DATA_MAGIC, _DIMENSION or _SIZE (damaged file), _COUNT, _LABEL or _SHAPE (files that
 * do not fit one another), _VALIDATION (too few to hold some out)
 */
export function assembleIdxDataset(files: IdxFiles, options: IdxDatasetOptions): Dataset {
  const { name, origin, classes } = options;
  const first = parsePair(files.train, classes);
  const others = [files.validation, files.test].map((pair) => pair && parsePair(pair, classes));
  for (const other of others) if (other !== undefined) checkSameShape(first, other);
  const [validation, test] = others;
  const { labels } = files.train;
  const notes = [...(options.notes ?? []), ...noteColumns(labels), ...noteFirst(first.split.labels, labels.source)];
  if (test === undefined && validation !== undefined)
    notes.push(guessed(`${origin} has no test files: val is the test set`));
  const held = (test ?? validation) === undefined ? holdOutTest(first.split, options) : undefined;
  const splits = {
    train: held?.train ?? first.split,
    validation: (test && validation?.split) ?? allocateSplit(0, 0),
    test: held?.test ?? (test ?? (validation as Parsed)).split,
  };
  const largest = Math.max(...Object.values(splits).map(({ labels }) => findLargest(labels)));
  const { channels, height, width } = first.images;
  return createDataset({
    name,
    source: describeSource(splits.train, splits.test, origin),
    channels,
    height,
    width,
    classes: classes ?? Math.max(MIN_CLASSES, largest + 1),
    reading: {
      form: 'IDX files',
      labels: [files.train, files.validation, files.test]
        .flatMap((pair) => (pair === undefined ? [] : [basename(pair.labels.source)]))
        .join(' and '),
      ...(splits.validation.count > 0 && { hasValidation: true }),
    },
    mean: Array<number>(channels).fill(MNIST_MEAN),
    std: Array<number>(channels).fill(MNIST_STD),
    ...splits,
    ...(held && { heldOut: held.test.count }),
    ...(notes.length > 0 && { notes }),
  });
}

interface Parsed {
  readonly source: string;
  readonly images: IdxImages;
  readonly split: Split;
}

function parsePair({ images: imagesFile, labels: labelsFile }: IdxFilePair, classes: number | undefined): Parsed {
  const images = parseIdxImages(imagesFile.bytes, imagesFile.source);
  const labels = parseIdxLabels(labelsFile.bytes, labelsFile.source);
  if (labels.length !== images.count) {
    throw new LockstepError(
      'LOCKSTEP_DATA_COUNT',
      `${imagesFile.source} has ${countOf(images.count, 'image')}, ${labelsFile.source} has ${countOf(labels.length, 'label')}. Take both from the same dataset.`,
    );
  }
  if (classes !== undefined) checkLabels(labels, classes, labelsFile.source);
  const split = allocateSplit(images.count, images.pixels.length / images.count);
  split.images.set(images.pixels);
  split.labels.set(labels);
  return { source: imagesFile.source, images, split };
}

function noteColumns({ bytes, source }: IdxFile): Note[] {
  const columns = countIdxColumns(bytes);
  return columns === 1 ? [] : [guessed(`the labels of ${source} are the first of its ${countOf(columns, 'column')}`)];
}

/** Labels that count from 1, as those of EMNIST's letters. */
function noteFirst(labels: Uint8Array, source: string): Note[] {
  const [least, most] = [labels.reduce((a, b) => Math.min(a, b), 255), findLargest(labels)];
  return least === 1 && most > 1
    ? [warned(`the labels of ${source} are 1 to ${most}: no image is of class 0, which the model has all the same`)]
    : [];
}

function checkSameShape(train: Parsed, other: Parsed): void {
  const [trainShape, otherShape] = [train, other].map(
    ({ images }) => `${images.channels}x${images.height}x${images.width}`,
  );
  if (trainShape === otherShape) return;
  throw new LockstepError(
    'LOCKSTEP_DATA_SHAPE',
    `${train.source} has images of ${trainShape} (channels x height x width), ${other.source} of ${otherShape}. Take both from the same dataset.`,
  );
}

function holdOutTest(split: Split, { origin, heldOut }: IdxDatasetOptions) {
  const held = planTestSet(split.labels, heldOut, origin);
  return {
    train: pick(split, (index) => !held.has(index), split.count - held.size),
    test: pick(split, (index) => held.has(index), held.size),
  };
}

/**
 * Checks that every label names one of `classes` classes.
 *
 * @throws LockstepError LOCKSTEP_DATA_LABEL with the first label that does not
 */
function checkLabels(labels: Uint8Array, classes: number, source: string): void {
  const index = labels.findIndex((label) => label >= classes);
  if (index === -1) return;
  throw new LockstepError(
    'LOCKSTEP_DATA_LABEL',
    `${source}: label ${labels[index]} of image ${index} (offset ${LABELS_HEADER_BYTES + index}) is out of range 0..${classes - 1}. Use a model with more classes, or correct the label.`,
  );
}

const LABELS_HEADER_BYTES = 8;

function findLargest(labels: Uint8Array): number {
  return labels.reduce((largest, label) => Math.max(largest, label), 0);
}
