/** How to read a user's data: what a program may say, and in which ranges. */
import type { z } from 'zod';
import { type Check, isFunction, isOneOf, isText, isTexts, isWholeNumber } from '../errors/checks.js';
import { allowedBy, fieldsOf } from '../spec/check-options.js';
import { isClassCount } from './dataset/check-dataset.js';
import type { Warn } from './mnist/download.js';
import { type PictureRules, pictureRulesSchema } from './pictures/picture-rules.js';
import { type PixelLayout, pixelLayouts } from './pictures/pixel-form.js';
import type { ImageSize } from './readers/image-list.js';

/** What is being done, for a progress bar. */
export interface DataProgress {
  readonly phase: 'checking' | 'reading';
  /** Files, or bytes of a table. */
  readonly done: number;
  readonly total: number;
}

/** Largest height and width that data are read with or brought to. */
export const MAX_SIDE = 256;
const MAX_CHANNELS = 16;

const isSide = (value: unknown): boolean => isWholeNumber(1, MAX_SIDE)(value) === undefined;

export const isImageSize: Check = (value) => {
  const { height, width } = Object(value) as Partial<ImageSize>;
  return isSide(height) && isSide(width) ? undefined : `must be a height and a width up to ${MAX_SIDE}, such as 28x28`;
};

export interface ImageForm extends ImageSize {
  readonly channels: number;
}

export const isImageForm: Check = (value) => {
  const { channels, height, width } = Object(value) as Partial<ImageForm>;
  const isWhole = isWholeNumber(1, MAX_CHANNELS)(channels) === undefined && isSide(height) && isSide(width);
  return isWhole ? undefined : 'must be channels, height and width, such as 3x32x32';
};

const isColour: Check = (value) => (value === 1 || value === 3 ? undefined : 'must be 1 or 3');

const isRules: Check = (value) =>
  pictureRulesSchema.safeParse(value).success ? undefined : 'must be an object with under (0 to 255), white16 and rows';

export const dataSchema = fieldsOf({
  /** Bring every image to this size: each side from 1 to 256. */
  resize: allowedBy<ImageSize>(isImageSize).optional(),
  /** Image folders: bring every image to 1 or 3 channels. Default: 3 if any image has colours. */
  channels: allowedBy<number>(isColour).optional(),
  /** CSV: name of the column with the labels, or `first` or `last`. Default: by usual names, else by values. */
  labelColumn: allowedBy<string>(isText).optional(),
  /** CSV, and rows of arrays: form of the images, up to 16 channels and 256 a side. Default: square, grey or RGB. */
  csvShape: allowedBy<ImageForm>(isImageForm).optional(),
  /**
   * CSV, and arrays: `hwc` for [row][column][colour], `chw` for [colour][row][column]. Default: the order in which
   * neighbours differ less, where that is clear, else `chw` in rows.
   */
  csvLayout: allowedBy<PixelLayout>(isOneOf(...pixelLayouts)).optional(),
  /** Images to hold out as the test set, at least 1, for data that has none. Default: a tenth. */
  heldOut: allowedBy<number>(isWholeNumber(1)).optional(),
  /** The classes in order, when a model that knows them is to read the data. */
  classNames: allowedBy<readonly string[]>(isTexts).optional(),
  /** What a model's training images were laid on, their white, and how rows were images. Default: decided by the training part. */
  pictures: allowedBy<PictureRules>(isRules).optional(),
  /** IDX: labels must be below; 1 to 256. Default: what the labels need, at least 10. */
  classes: allowedBy<number>(isClassCount).optional(),
  /** Lockstep's cache folder. Default: `findCacheFolder()`. */
  cacheDirectory: allowedBy<string>(isText).optional(),
  onProgress: allowedBy<(progress: DataProgress) => void>(isFunction).optional(),
  onWarning: allowedBy<Warn>(isFunction).optional(),
});

export interface DataOptions extends Readonly<z.input<typeof dataSchema>> {}
