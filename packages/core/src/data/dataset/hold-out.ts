/** What is held out of training images, for validation or as a test set: the last of each class by its own order. */
import { LockstepError } from '../../errors/errors.js';
import { guessed } from '../../events/data-report.js';
import { countOf, formatCount, nounOf } from '../../text/count-text.js';
import { allocateSplit, createDataset, type Dataset, type Split } from './dataset.js';

/** Unless told otherwise, a tenth of data without a test set becomes one. */
const HELD_OUT_SHARE = 10;

/**
 * Places of the images that are held out: the last of each class by its own order, as many as its share of `count`; the
 * largest remainders get what is left, the earlier class of equal ones. No class loses its last image, unless there are
 * too few for that.
 *
 * @param count 1 to the number of labels - 1
 */
export function planHeldOut(labels: Uint8Array, count: number): ReadonlySet<number> {
  const total = labels.length;
  const ofClass = new Map<number, number[]>();
  labels.forEach((label, index) => {
    const list = ofClass.get(label);
    if (list === undefined) ofClass.set(label, [index]);
    else list.push(index);
  });
  const lists = [...ofClass].sort(([a], [b]) => a - b).map(([, list]) => list);
  const least = count > total - lists.length ? 0 : 1;
  const counts = lists.map(({ length }) => Math.min(length - least, Math.floor((length * count) / total)));
  const order = lists
    .map(({ length }, index) => ({ index, rest: (length * count) % total }))
    .sort((a, b) => b.rest - a.rest || a.index - b.index);
  let left = count - counts.reduce((sum, own) => sum + own, 0);
  while (left > 0) {
    for (const { index } of order) {
      if (left === 0 || (counts[index] as number) >= (lists[index] as number[]).length - least) continue;
      counts[index] = (counts[index] as number) + 1;
      left--;
    }
  }
  return new Set(lists.flatMap((list, index) => list.slice(list.length - (counts[index] as number))));
}

/**
 * Places of the images that become the test set of data without one: `wanted` of them, or a tenth.
 *
 * @throws LockstepError LOCKSTEP_DATA_VALIDATION when no training image would be left
 */
export function planTestSet(labels: Uint8Array, wanted: number | undefined, origin: string): ReadonlySet<number> {
  const total = labels.length;
  const count = wanted || Math.max(1, Math.floor(total / HELD_OUT_SHARE));
  if (count < total) return planHeldOut(labels, count);
  throw new LockstepError(
    'LOCKSTEP_DATA_VALIDATION',
    `${origin} has no test set, and of its ${countOf(total, 'image')} ${count} cannot be held out for one. Give more images, or a --validation below ${total}.`,
  );
}

/**
 * Holds out `count` training images as the validation split: the last ones, as views, without copies; but the last of each
 * class, with a note, where the last ones lack classes that are there then. 0 leaves the dataset as it is, and so does the
 * size of the validation split that it has.
 *
 * @throws LockstepError LOCKSTEP_DATA_VALIDATION when no training image would be left, count is not a whole number, or
 *   some are held out already
 */
export function holdOutValidation(dataset: Dataset, count: number): Dataset {
  const { train, validation } = dataset;
  if (count === 0 || count === validation.count) return dataset;
  if (validation.count > 0) {
    const text = `${countOf(validation.count, 'image')} ${nounOf(validation.count, 'is', 'are')} already held out for validation, so ${count} more cannot be.`;
    throw new LockstepError('LOCKSTEP_DATA_VALIDATION', `${text} Leave out one of the two.`);
  }
  if (!Number.isInteger(count) || count < 0 || count >= train.count) {
    throw new LockstepError(
      'LOCKSTEP_DATA_VALIDATION',
      `cannot hold out ${count} of ${countOf(train.count, 'training image')} for validation. Choose 0 to ${train.count - 1}.`,
    );
  }
  const { checksum: _, ...parts } = dataset;
  const kept = train.count - count;
  const inTail = new Set(train.labels.subarray(kept)).size;
  const plan = inTail < new Set(train.labels).size ? planHeldOut(train.labels, count) : undefined;
  const inPlan = plan && new Set([...plan].map((index) => train.labels[index])).size;
  if (plan === undefined || inPlan === undefined || inPlan <= inTail) {
    return createDataset({ ...parts, train: slice(train, 0, kept), validation: slice(train, kept, train.count) });
  }
  const text = `the last ${formatCount(count)} training images are of ${countOf(inTail, 'class', 'classes')}: the last of each class are held out for validation instead, of ${inPlan}`;
  return createDataset({
    ...parts,
    train: pick(train, (index) => !plan.has(index), kept),
    validation: pick(train, (index) => plan.has(index), count),
    notes: [...(dataset.notes ?? []), guessed(text)],
  });
}

/** Samples [from, to) of a split, as views. */
function slice(split: Split, from: number, to: number): Split {
  const sampleBytes = split.images.length / split.count;
  return {
    count: to - from,
    images: split.images.subarray(from * sampleBytes, to * sampleBytes),
    labels: split.labels.subarray(from, to),
  };
}

/** The `count` samples for which something holds, in their order. */
export function pick({ images, labels }: Split, holds: (index: number) => boolean, count: number): Split {
  const sampleBytes = images.length / labels.length;
  const picked = allocateSplit(count, sampleBytes);
  for (let index = 0, at = 0; at < count; index++) {
    if (!holds(index)) continue;
    picked.images.set(images.subarray(index * sampleBytes, (index + 1) * sampleBytes), at * sampleBytes);
    picked.labels[at++] = labels[index] as number;
  }
  return picked;
}
