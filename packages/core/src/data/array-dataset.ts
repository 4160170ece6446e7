/** A dataset from typed arrays: for programs that have their images in memory. */
import type { z } from 'zod';
import { type Check, isText } from '../errors/checks.js';
import { allowedBy, checkOptions, fieldsOf, optionError } from '../spec/check-options.js';
import { countOf, formatCount } from '../text/count-text.js';
import { arraysError, checkForm, checkLabels, isClassCount, isSide } from './dataset/check-dataset.js';
import { allocateSplit, createDataset, type Dataset, type Split } from './dataset/dataset.js';
import { measureNormalization } from './dataset/normalization.js';
import { findLoneHalf, pixelChoiceSchema } from './pixels/pixels.js';

/** Images [count][channels][height][width], row-major, one byte a value; and a label for each. */
export interface ArraySplit {
  readonly images: Uint8Array;
  /** Classes, from 0. */
  readonly labels: Uint8Array | readonly number[];
}

const isSplit: Check = (value) => {
  const { images, labels } = Object(value) as Partial<ArraySplit>;
  const isWhole = images instanceof Uint8Array && (labels instanceof Uint8Array || Array.isArray(labels));
  return isWhole ? undefined : 'must be an object with images (Uint8Array) and labels (Uint8Array or numbers)';
};
const isList: Check = (value) => (Array.isArray(value) ? undefined : 'must be a list, one for each');

const arraysSchema = fieldsOf({
  /** 1 or more; models read up to 16. */
  channels: allowedBy<number>(isSide),
  /** Rows of pixels, 1 or more. */
  height: allowedBy<number>(isSide),
  /** Columns of pixels, 1 or more. */
  width: allowedBy<number>(isSide),
  /** 1 to 256. */
  classes: allowedBy<number>(isClassCount),
  train: allowedBy<ArraySplit>(isSplit),
  test: allowedBy<ArraySplit>(isSplit),
  /** Reported beside the test split, and what early stopping looks at. */
  validation: allowedBy<ArraySplit>(isSplit).optional(),
  /** Default: `arrays`. */
  name: allowedBy<string>(isText).optional(),
  /** One per class; default: their numbers. */
  classNames: allowedBy<readonly string[]>(isList).optional(),
  /** Pixel value v becomes (v/255 - mean)/std; one number per channel, and both or none. Default: those of the training images. */
  mean: allowedBy<readonly number[]>(isList).optional(),
  /** Above 0; one number per channel. */
  std: allowedBy<readonly number[]>(isList).optional(),
  /** What the images lie on. Default: measured along the training images' edges. */
  ground: pixelChoiceSchema.shape.ground,
  /** The pixel value that stands for white, 1 to 255. Default: 255, or the training images' largest if below 128. */
  white: pixelChoiceSchema.shape.white,
});

export interface ArrayDatasetOptions extends Readonly<z.input<typeof arraysSchema>> {}

/**
 * Makes a dataset of arrays, which are copied.
 *
 * @throws LockstepError LOCKSTEP_OPTION for an option that is not allowed, or a mean without a std; LOCKSTEP_DATA_ARRAYS when sizes do not fit each
 *   other, or a label is not below `classes`
 */
export function createArrayDataset(options: ArrayDatasetOptions): Dataset {
  const {
    channels,
    height,
    width,
    classes,
    name = 'arrays',
    classNames,
    ground,
    white,
  } = checkOptions(arraysSchema, options);
  const lone = findLoneHalf(options);
  if (lone !== undefined) throw optionError(lone);
  const train = copySplit('train', options.train, options);
  const test = copySplit('test', options.test, options);
  const validation = options.validation ? copySplit('validation', options.validation, options) : allocateSplit(0, 0);
  const { mean, std } =
    options.mean && options.std ? { mean: options.mean, std: options.std } : measureNormalization(train, options);
  checkForm({ channels, classes, mean, std, ...(classNames && { classNames }) });
  return createDataset({
    name,
    source: `${formatCount(train.count)} + ${formatCount(test.count)} images from ${name}`,
    channels,
    height,
    width,
    classes,
    ...(classNames && { classNames }),
    mean,
    std,
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
      `${name} has ${countOf(count, 'label')} and ${countOf(images.length, 'byte')} of images; ${countOf(count, 'image')} of ${channels}x${height}x${width} take ${count * sampleBytes}`,
    );
  }
  checkLabels(name, labels, classes);
  const split = allocateSplit(count, sampleBytes);
  split.images.set(images);
  split.labels.set(labels);
  return split;
}
