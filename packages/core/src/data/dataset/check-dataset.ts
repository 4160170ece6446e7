/** Whether what a program gives for a dataset is one: the same rules for arrays and for a dataset that it has put together. */

import { type Check, describeSetting, isWholeNumber } from '../../errors/checks.js';
import { LockstepError } from '../../errors/errors.js';
import { countOf, nounOf } from '../../text/count-text.js';
import { type Dataset, MAX_CLASSES, type Split } from './dataset.js';

/** Labels are bytes. */
export const isClassCount: Check = isWholeNumber(1, MAX_CLASSES);
/** Of channels, rows and columns. */
export const isSide: Check = isWholeNumber(1);

export const arraysError = (text: string): LockstepError =>
  new LockstepError('LOCKSTEP_DATA_ARRAYS', `the arrays do not make a dataset: ${text}.`);

type Form = Pick<Dataset, 'channels' | 'classes' | 'classNames' | 'mean' | 'std'>;

/** @throws LockstepError LOCKSTEP_DATA_ARRAYS when names or the normalization do not fit the numbers of classes and channels */
export function checkForm({ channels, classes, classNames, mean, std }: Form): void {
  if (classNames !== undefined && classNames.length !== classes) {
    throw arraysError(
      `there ${nounOf(classNames.length, 'is', 'are')} ${countOf(classNames.length, 'class name')} for ${countOf(classes, 'class', 'classes')}`,
    );
  }
  for (const [name, values] of Object.entries({ mean, std })) {
    if (!Array.isArray(values) || values.length !== channels) {
      const numbers = Array.isArray(values) ? countOf(values.length, 'number') : 'no list of numbers';
      throw arraysError(`${name} has ${numbers} for ${countOf(channels, 'channel')}; give one for each`);
    }
    const wrong = values.findIndex((value) => !Number.isFinite(value) || (name === 'std' && value <= 0));
    if (wrong < 0) continue;
    const allowed = name === 'std' ? 'a finite number above 0' : 'a finite number';
    throw arraysError(`${describeSetting([name, wrong], values[wrong])} must be ${allowed}`);
  }
}

/** @throws LockstepError LOCKSTEP_DATA_ARRAYS naming the first label that is no class */
export function checkLabels(name: string, labels: ArrayLike<number>, classes: number): void {
  for (let at = 0; at < labels.length; at++) {
    const label = labels[at] as number;
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw arraysError(
      `label ${at} of ${name} is ${label}; with ${countOf(classes, 'class', 'classes')} labels are 0 to ${classes - 1}`,
    );
  }
}

/**
 * Checks a dataset that did not come from a function of ours, or was changed since.
 *
 * @throws LockstepError LOCKSTEP_DATA_ARRAYS
 */
export function checkDataset(dataset: Dataset): void {
  const { channels, height, width, classes } = dataset;
  for (const [name, value] of Object.entries({ channels, height, width })) checkField(name, value, isSide);
  checkField('classes', classes, isClassCount);
  checkForm(dataset);
  for (const name of ['train', 'validation', 'test'] as const) {
    const split: Split | undefined = dataset[name];
    const { count, images, labels } = split ?? {};
    checkField(`${name}.count`, count, isWholeNumber(name === 'validation' ? 0 : 1));
    const [pixels, sampleBytes] = [images?.length ?? 0, channels * height * width];
    if (labels?.length !== count || pixels !== (count as number) * sampleBytes) {
      throw arraysError(
        `${name} has ${countOf(count, 'image')} of ${channels}x${height}x${width}, ${countOf(labels?.length ?? 0, 'label')} and ${countOf(pixels, 'byte')} of images`,
      );
    }
    checkLabels(name, labels as Uint8Array, classes);
  }
}

function checkField(name: string, value: unknown, check: Check): void {
  const allowed = check(value);
  if (allowed !== undefined) throw arraysError(`${describeSetting([name], value)} ${allowed}`);
}
