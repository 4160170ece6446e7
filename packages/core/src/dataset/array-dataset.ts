/** A dataset from typed arrays: for programs that have their images in memory. */
import { formatCount } from '../count-text.js';
import { LockstepError } from '../errors.js';
import { allocateSplit, createDataset, type Dataset, type Ground, type Split } from './dataset.js';
import { measureNormalization } from './normalization.js';

/** Images [count][channels][height][width], row-major, one byte a value; and a label for each. */
export interface ArraySplit {
  readonly images: Uint8Array;
  /** Classes, from 0. */
  readonly labels: Uint8Array | readonly number[];
}

export interface ArrayDatasetOptions {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
  readonly train: ArraySplit;
  readonly test: ArraySplit;
  /** Reported beside the test split, and what early stopping looks at. */
  readonly validation?: ArraySplit | undefined;
  /** Default: `arrays`. */
  readonly name?: string | undefined;
  /** One per class; default: their numbers. */
  readonly classNames?: readonly string[] | undefined;
  /** Pixel value v becomes (v/255 - mean)/std; one number per channel. Default: those of the training images. */
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
  /** What the images lie on. Default: measured along the training images' edges. */
  readonly ground?: Ground | undefined;
  /** The pixel value that stands for white, 1 to 255. Default: 255, or the training images' largest if below 128. */
  readonly white?: number | undefined;
}

/**
 * Makes a dataset of arrays, which are copied.
 *
 * @throws LockstepError LOCKSTEP_DATA_ARRAYS when sizes do not fit each other, or a label is not below `classes`
 */
export function createArrayDataset(options: ArrayDatasetOptions): Dataset {
  const { channels, height, width, classes, name = 'arrays', classNames, ground, white } = options;
  if (classNames !== undefined && classNames.length !== classes) {
    throw arraysError(`there are ${classNames.length} class names for ${classes} classes`);
  }
  const train = copySplit('train', options.train, options);
  const test = copySplit('test', options.test, options);
  const validation = options.validation ? copySplit('validation', options.validation, options) : allocateSplit(0, 0);
  const measured = measureNormalization(train, options);
  return createDataset({
    name,
    source: `${formatCount(train.count)} + ${formatCount(test.count)} images from ${name}`,
    channels,
    height,
    width,
    classes,
    ...(classNames && { classNames }),
    mean: options.mean ?? measured.mean,
    std: options.std ?? measured.std,
    ...(ground !== undefined && { ground }),
    ...(white !== undefined && { white }),
    train,
    validation,
    test,
  });
}

function copySplit(name: string, { images, labels }: ArraySplit, options: ArrayDatasetOptions): Split {
  const { channels, height, width, classes } = options;
  const sampleBytes = channels * height * width;
  const count = labels.length;
  if (count === 0) throw arraysError(`${name} has no labels`);
  if (images.length !== count * sampleBytes) {
    throw arraysError(
      `${name} has ${count} labels and ${images.length} bytes of images; ${count} images of ${channels}x${height}x${width} take ${count * sampleBytes}`,
    );
  }
  const wrong = labels.findIndex((label) => !Number.isInteger(label) || label < 0 || label >= classes);
  if (wrong >= 0) {
    throw arraysError(
      `label ${wrong} of ${name} is ${labels[wrong]}; with ${classes} classes labels are 0 to ${classes - 1}`,
    );
  }
  const split = allocateSplit(count, sampleBytes);
  split.images.set(images);
  split.labels.set(labels);
  return split;
}

const arraysError = (text: string): LockstepError =>
  new LockstepError('LOCKSTEP_DATA_ARRAYS', `the arrays do not make a dataset: ${text}.`);
