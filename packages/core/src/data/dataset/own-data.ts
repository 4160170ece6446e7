/**
 * From labelled images, wherever they were read, to a dataset: names for classes, a test set where there is none, and
 * training images in a mixed order, since files and tables are so often sorted by class.
 */

import { LockstepError } from '../../errors/errors.js';
import { guessed, type Note } from '../../events/data-report.js';
import { epochOrder } from '../../run/order.js';
import { countOf, formatCount } from '../../text/count-text.js';
import type { PictureRules } from '../pictures/picture-rules.js';
import { areNames, checkKnown, listNames, noteAbsent } from './class-names.js';
import { allocateSplit, createDataset, type Dataset, MAX_CLASSES, type Reading, type Split } from './dataset.js';
import { planTestSet } from './hold-out.js';
import { measureNormalization } from './normalization.js';

/** Labelled images in the order of their files or rows. */
export interface LabelledImages {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** [count][channels][height][width]. */
  readonly images: Uint8Array;
  /** Names of classes, one per image. */
  readonly labels: readonly string[];
}

export interface OwnData {
  readonly name: string;
  /** For people, where the data came from. */
  readonly origin: string;
  readonly train: LabelledImages;
  readonly test: LabelledImages | undefined;
  readonly validation?: LabelledImages | undefined;
  readonly pictures?: PictureRules | undefined;
  /** Labels are names, also those that are numbers, unless they fill 0 to n - 1; else numbers below 256 keep their value. */
  readonly isNamed?: boolean;
  readonly reading: Reading;
  /** For people: what was guessed and left out when it was read. */
  readonly notes?: readonly Note[];
}

export interface FinishOptions {
  /** Images to hold out as the test set, for data that has none. Default: a tenth. */
  readonly heldOut?: number | undefined;
  /** The classes in order, when a model that knows them is to read the data. */
  readonly classNames?: readonly string[] | undefined;
}

/**
 * Makes a dataset. Classes whose names are all whole numbers below 256 keep these numbers; others are numbered in the
 * order of their names.
 *
 * @throws LockstepError LOCKSTEP_DATA_CLASSES (one, too many, or unknown ones), LOCKSTEP_DATA_SHAPE (test images unlike
 *   training images), LOCKSTEP_DATA_VALIDATION (nothing would be left to train on)
 */
export function finishOwnData(data: OwnData, options: FinishOptions): Dataset {
  const { name, origin, train, test, validation, pictures, reading, notes = [] } = data;
  const { channels, height, width } = train;
  if (test !== undefined) checkSameShape(train, test, origin, 'test');
  if (validation !== undefined) checkSameShape(train, validation, origin, 'validation');
  const labels = [train, test, validation].flatMap((part) => [...new Set(part?.labels)]);
  const classNames = nameClasses(labels, origin, options.classNames, data.isNamed);
  const indexes = new Map(classNames.map((className, index) => [className, index]));
  const trainClasses = Uint8Array.from(train.labels, (label) => indexes.get(label) as number);
  const heldOut = test === undefined ? planTestSet(trainClasses, options.heldOut, origin) : new Set();
  const trainAt = shuffle(listWhere(train.labels.length, (i) => !heldOut.has(i)));
  const trainSplit = pick(train, trainAt, indexes);
  const testSplit =
    test === undefined
      ? pick(
          train,
          listWhere(train.labels.length, (i) => heldOut.has(i)),
          indexes,
        )
      : pickAll(test, indexes);
  const told = options.classNames === undefined ? noteOrder(classNames) : noteAbsent(labels, classNames);
  return createDataset({
    name,
    source: describeSource(trainSplit, testSplit, origin),
    channels,
    height,
    width,
    classes: classNames.length,
    classNames,
    ...measureNormalization(trainSplit, train),
    train: trainSplit,
    validation: validation === undefined ? allocateSplit(0, 0) : pickAll(validation, indexes),
    test: testSplit,
    ...(test === undefined ? { heldOut: testSplit.count } : {}),
    ...(pictures && { pictures }),
    reading: { ...reading, hasValidation: validation !== undefined },
    ...(notes.length + told.length > 0 && { notes: [...notes, ...told] }),
  });
}

/** For people: `1,200 + 300 images from DIR`. */
export const describeSource = (train: Split, test: Split, origin: string): string =>
  `${formatCount(train.count)} + ${formatCount(test.count)} images from ${origin}`;

/** The classes of these labels in order, or those given if they have every label. */
function nameClasses(
  labels: readonly string[],
  origin: string,
  given?: readonly string[],
  isNamed = false,
): readonly string[] {
  const found = [...new Set(labels)];
  if (given !== undefined) {
    checkKnown(found, given, origin);
    return given;
  }
  const areNumbers = found.every(isClassNumber) && !(isNamed && found.some((label) => Number(label) >= found.length));
  const names = areNumbers ? numbersUpTo(Math.max(...found.map(Number))) : found.sort(compareNames);
  if (names.length >= 2 && names.length <= MAX_CLASSES) return names;
  const wrong =
    names.length < 2
      ? `one class, ${listNames(names)}`
      : `${countOf(names.length, 'class', 'classes')} (${listNames(names)})`;
  throw new LockstepError('LOCKSTEP_DATA_CLASSES', `${origin} has ${wrong}. Give data of 2 to ${MAX_CLASSES} classes.`);
}

const isClassNumber = (label: string): boolean => /^(0|[1-9]\d{0,2})$/.test(label) && Number(label) < MAX_CLASSES;

const numbersUpTo = (largest: number): string[] => Array.from({ length: largest + 1 }, (_, index) => String(index));

/** Whole numbers by value, before all else; the rest by its code units, as no locale would change it. */
function compareNames(a: string, b: string): number {
  const [x, y] = [a, b].map((name) => (/^\d+$/.test(name) ? Number(name) : Number.POSITIVE_INFINITY));
  if (x !== y) return (x as number) < (y as number) ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** ImageFolder sorts the names of classes as texts: weights from there have their outputs in that order. */
function noteOrder(names: readonly string[]): Note[] {
  const sorted = [...names].sort();
  if (!areNames(names) || sorted.every((name, index) => name === names[index])) return [];
  return [guessed(`classes are in the order ${listNames(names)}; torchvision has ${listNames(sorted)}`)];
}

function checkSameShape(train: LabelledImages, other: LabelledImages, origin: string, part: string): void {
  const [trainShape, otherShape] = [train, other].map(
    ({ channels, height, width }) => `${channels}x${height}x${width}`,
  );
  if (trainShape === otherShape) return;
  throw new LockstepError(
    'LOCKSTEP_DATA_SHAPE',
    `${origin} has training images of ${trainShape} (channels x height x width), ${part} images of ${otherShape}. Give both the same form, or use --resize.`,
  );
}

const listWhere = (count: number, holds: (index: number) => boolean): Int32Array =>
  Int32Array.from({ length: count }, (_, index) => index).filter(holds);

/** Always the same mixing, so that the same data gives the same run. */
function shuffle(indexes: Int32Array): Int32Array {
  return epochOrder(0, 0, indexes.length).map((at) => indexes[at] as number);
}

const pickAll = (from: LabelledImages, classes: ReadonlyMap<string, number>): Split =>
  pick(
    from,
    listWhere(from.labels.length, () => true),
    classes,
  );

function pick(from: LabelledImages, indexes: Int32Array, classes: ReadonlyMap<string, number>): Split {
  const sampleBytes = from.channels * from.height * from.width;
  const split = allocateSplit(indexes.length, sampleBytes);
  indexes.forEach((index, i) => {
    split.images.set(from.images.subarray(index * sampleBytes, (index + 1) * sampleBytes), i * sampleBytes);
    split.labels[i] = classes.get(from.labels[index] as string) as number;
  });
  return split;
}
