/** Puts a dataset together from the bytes of four IDX files. */

import { basename } from 'node:path';
import { LockstepError } from '../../errors/errors.js';
import { countOf, formatCount } from '../../text/count-text.js';
import { allocateSplit, createDataset, type Dataset, type Split } from '../dataset/dataset.js';
import { MNIST_MEAN, MNIST_STD } from '../dataset/normalization.js';
import { type IdxImages, parseIdxImages, parseIdxLabels } from './idx.js';

/** A file's uncompressed bytes, and its name for errors. */
export interface IdxFile {
  readonly source: string;
  readonly bytes: Uint8Array;
}

export interface IdxFiles {
  readonly trainImages: IdxFile;
  readonly trainLabels: IdxFile;
  readonly testImages: IdxFile;
  readonly testLabels: IdxFile;
}

export interface IdxDatasetOptions {
  readonly name: string;
  /** For people, where the files came from: `DIR`. */
  readonly origin: string;
  /** Labels must be below; default: what the labels need, at least 10. */
  readonly classes?: number | undefined;
}

/** MNIST's, so that a folder which happens to hold no 9 still fits a model of ten classes. */
const MIN_CLASSES = 10;

/**
 * Parses the files and checks them against one another. Pixels are normalized as MNIST's whatever the images show, so
 * that weights mean the same on every folder.
 *
 * @throws LockstepError LOCKSTEP_DATA_MAGIC, _DIMENSION or _SIZE (damaged file), _COUNT, _LABEL or _SHAPE (files that
 * do not fit one another)
 */
export function assembleIdxDataset(files: IdxFiles, { name, origin, classes }: IdxDatasetOptions): Dataset {
  const trainImages = parseIdxImages(files.trainImages.bytes, files.trainImages.source);
  const testImages = parseIdxImages(files.testImages.bytes, files.testImages.source);
  checkSameShape(trainImages, testImages, files);
  const train = pairUp(trainImages, files.trainImages, files.trainLabels);
  const test = pairUp(testImages, files.testImages, files.testLabels);
  const { channels, height, width } = trainImages;
  if (classes !== undefined) {
    checkLabels(train.labels, classes, files.trainLabels.source);
    checkLabels(test.labels, classes, files.testLabels.source);
  }
  return createDataset({
    name,
    source: `${formatCount(train.count)} + ${formatCount(test.count)} images from ${origin}`,
    channels,
    height,
    width,
    classes: classes ?? Math.max(MIN_CLASSES, findLargest(train.labels) + 1, findLargest(test.labels) + 1),
    reading: {
      form: 'IDX files',
      labels: `${basename(files.trainLabels.source)} and ${basename(files.testLabels.source)}`,
    },
    mean: Array<number>(channels).fill(MNIST_MEAN),
    std: Array<number>(channels).fill(MNIST_STD),
    train,
    validation: allocateSplit(0, 0),
    test,
  });
}

function checkSameShape(train: IdxImages, test: IdxImages, files: IdxFiles): void {
  const [trainShape, testShape] = [train, test].map((images) => `${images.channels}x${images.height}x${images.width}`);
  if (trainShape === testShape) return;
  throw new LockstepError(
    'LOCKSTEP_DATA_SHAPE',
    `${files.trainImages.source} has images of ${trainShape} (channels x height x width), ${files.testImages.source} of ${testShape}. Take both from the same dataset.`,
  );
}

function pairUp(images: IdxImages, imagesFile: IdxFile, labelsFile: IdxFile): Split {
  const labels = parseIdxLabels(labelsFile.bytes, labelsFile.source);
  if (labels.length !== images.count) {
    throw new LockstepError(
      'LOCKSTEP_DATA_COUNT',
      `${imagesFile.source} has ${countOf(images.count, 'image')}, ${labelsFile.source} has ${countOf(labels.length, 'label')}. Take both from the same dataset.`,
    );
  }
  const split = allocateSplit(images.count, images.pixels.length / images.count);
  split.images.set(images.pixels);
  split.labels.set(labels);
  return split;
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
