/** A table of images that a model is asked about, with or without labels. */
import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { LockstepError } from '../errors/errors.js';
import { countOf } from '../text/count-text.js';
import type { DataOptions } from './data-options.js';
import { allocateSplit, createDataset, type Split } from './dataset/dataset.js';
import type { DataNotes } from './pixels/data-notes.js';
import { type FittedDataset, fitDataset } from './pixels/pixels.js';

/** What a model reads. */
interface Input {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/**
 * Reads a table, plain or .gz, as `openDataset` does, and brings its images to the pixels of a model. It need not have
 * labels: as many columns as the model has pixels are pixels alone. Labels are not kept; every image is in class 0 of `test`.
 *
 * @param notes of the model
 * @param form says the same as for `openDataset`; `csvShape` is needed where images of another size, which are brought to
 *   the model's, make no square
 * @throws LockstepError LOCKSTEP_DATA_CSV naming file, row and column, or the numbers of columns and of pixels; _SHAPE; _GZIP
 */
export async function openTable(
  path: string,
  { channels, height, width }: Input,
  notes: DataNotes,
  form: Pick<DataOptions, 'labelColumn' | 'csvShape' | 'csvLayout'>,
): Promise<FittedDataset> {
  const { readCsv } = await import('./readers/csv.js');
  checkThere(path);
  const size = { height, width };
  const {
    images: read,
    labels: passedOver,
    notes: told,
  } = await readCsv(path, {
    labelColumn: form.labelColumn,
    shape: form.csvShape ?? (notes.isResized ? undefined : { channels, ...size }),
    layout: form.csvLayout,
    rows: notes.pictures?.rows,
    resize: size,
    isUnlabelled: true,
    onCount: () => {},
  });
  const { images, labels, ...shape } = read as NonNullable<typeof read>;
  if (shape.channels !== channels) {
    const text = `${path} has images of ${countOf(shape.channels, 'channel')}, the model reads ${channels}`;
    throw new LockstepError('LOCKSTEP_DATA_CSV', `${text}. Say how they lie, such as --csv-shape ${channels}x28x28.`);
  }
  const test = allocateSplit(labels.length, images.length / labels.length);
  test.images.set(images);
  const dataset = createDataset({
    name: basename(resolve(path)),
    source: `${countOf(test.count, 'image')} from ${path}`,
    ...shape,
    classes: notes.classNames.length,
    classNames: notes.classNames,
    mean: notes.mean,
    std: notes.std,
    train: test,
    validation: NONE,
    test,
    reading: {
      form: 'a table with a row for each image',
      labels: passedOver === 'none' ? 'none' : `${passedOver}, not read`,
      pieces: [{ of: `rows of ${basename(path)}`, count: test.count }],
    },
    notes: told,
  });
  return fitDataset(dataset, notes);
}

function checkThere(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === false) return;
  throw new LockstepError('LOCKSTEP_DATA_READ', `${path} is no file. Give --csv a table, plain or .gz.`);
}

const NONE: Split = allocateSplit(0, 0);
