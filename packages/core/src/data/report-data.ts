/** The report on a dataset: made of what its reader kept, and of its labels; no file is read for it. */
import type { DataReport } from '../events/data-report.js';
import { formatCount } from '../text/count-text.js';
import type { Dataset, Split } from './dataset/dataset.js';
import { describeData } from './pixels/data-notes.js';
import { describePixels } from './pixels/pixels.js';

/** What is told of a dataset before a run trains on it. */
export function reportData(dataset: Dataset): DataReport {
  const { name, source, channels, height, width, train, validation, test, reading, notes, checksum } = dataset;
  const sum = train.count + validation.count + test.count;
  return {
    name,
    source,
    form: reading?.form ?? 'arrays of a program',
    pieces: reading?.pieces ?? [{ of: 'images', count: sum }],
    labels: reading?.labels ?? 'as the program gave them',
    channels,
    height,
    width,
    train: train.count,
    validation: validation.count,
    test: test.count,
    testFrom: describeTest(dataset),
    validationFrom: describeValidation(dataset),
    pixels: describePixels(describeData(dataset)),
    classes: countClasses(dataset),
    notes: notes ?? [],
    checksum,
  };
}

function describeTest({ heldOut, train, test }: Dataset): string {
  if (heldOut === undefined) return 'a part of its own';
  const all = formatCount(train.count + test.count);
  return `the data has none, so the last images of each class are kept for it, of ${all} in all (--validation sets how many)`;
}

function describeValidation({ validation, reading }: Dataset): string {
  if (validation.count === 0) return 'none';
  return reading?.hasValidation ? 'a part of its own' : 'held out of the training images (--validation)';
}

function countClasses({ classes, classNames, train, validation, test }: Dataset) {
  const counts = [train, validation, test].map((split) => countLabels(split, classes));
  return Array.from({ length: classes }, (_, label) => {
    const [inTrain = 0, inValidation = 0, inTest = 0] = counts.map((count) => count[label]);
    return { name: classNames?.[label] ?? String(label), train: inTrain, validation: inValidation, test: inTest };
  });
}

/** How many images each class has. */
export function countLabels({ labels }: Split, classes: number): Uint32Array {
  const counts = new Uint32Array(classes);
  for (const label of labels) counts[label] = (counts[label] as number) + 1;
  return counts;
}
