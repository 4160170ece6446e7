/** Loads the data of a command and tells on stderr what a person should know about it. */

import {
  createDataset,
  type DataOptions,
  type DataProgress,
  type Dataset,
  fitDataset,
  holdOutValidation,
  openDataset,
  type PixelChoice,
  type PixelSource,
  resizeDataset,
  takePixels,
  withNotes,
} from '@lockstep/core/data';
import { type DownloadProgress, EMBEDDED_CHECKSUM, loadEmbedded, loadMnist } from '@lockstep/core/data/mnist';
import { LockstepError } from '@lockstep/core/errors';
import { guessed, type Note } from '@lockstep/core/events';
import { isOffline } from '@lockstep/core/files';
import { adaptModel } from '@lockstep/core/model';
import type { ModelSpec } from '@lockstep/core/spec';
import { countOf, fixed, formatBar, formatCount, textOf } from '@lockstep/core/text';
import { optionError } from '../fields/field.js';
import type { ModelNotes } from '../settings/model-notes.js';
import { type Io, tellNote, writeLine } from '../terminal/io.js';
import { canRedraw, StatusLine } from '../terminal/terminal.js';

/** How to read the data at `path`; MNIST from cache, mirrors or the embedded sample when there is no path. */
export interface DataRequest extends Omit<DataOptions, 'onProgress' | 'onWarning'> {
  readonly path: string | undefined;
  /** Without a path: the embedded sample, whatever else could be had. */
  readonly isSample?: boolean | undefined;
  /** What is said of its pixels. */
  readonly pixels?: PixelChoice | undefined;
}

/**
 * Loads data that a model can read as it is.
 *
 * @throws LockstepError as core's `loadMnist` and `openDataset`; LOCKSTEP_DATA_MODEL when the model cannot read it
 */
export async function loadData(request: DataRequest, model: ModelSpec, io: Io): Promise<Dataset> {
  const dataset = await loadFitting(request, model, io);
  tellNotes(dataset, io);
  return dataset;
}

/** Loads data as they are for a report on them: nothing is told, no model has to read them. Throws as `loadData`. */
export const loadReported = async (request: DataRequest, io: Io): Promise<Dataset> =>
  takePixels(await load(request, io), {}, request.pixels ?? {});

async function loadFitting(request: DataRequest, model: ModelSpec, io: Io): Promise<Dataset> {
  const dataset = withClassesOf(model, await load(request, io));
  checkFit(dataset, model);
  return dataset;
}

/**
 * Loads data in the form of those that weights were trained on: their classes, their size if it was made so by --resize,
 * and their pixels; how these were changed is told.
 *
 * @throws LockstepError as `loadData`
 */
export async function loadDataLikeTraining(
  request: DataRequest,
  model: ModelSpec,
  { notes, carried }: ModelNotes,
  io: Io,
): Promise<Dataset> {
  const { channels, height, width } = model.input;
  const form = { ...(carried?.isResized && { resize: { height, width } }), channels: channels === 3 ? 3 : 1 };
  const { classNames, heldOut, pictures } = carried ?? {};
  const loaded = await loadFitting(
    { ...form, ...definedOf(request), path: request.path, classNames, heldOut, pictures },
    model,
    io,
  );
  const { dataset, changes } = fitDataset(loaded, notes);
  const told = changes.length === 0 ? [] : [guessed(`the images were ${changes.join('; ')}`, FITTED_BY)];
  const noted = withNotes(dataset, told);
  tellNotes(noted, io);
  return noted;
}

/** Flags that say otherwise how images were brought to a model's pixels. */
export const FITTED_BY = '--white and --ground';

/** Without what is undefined. */
export const definedOf = <T extends object>(value: T): Partial<T> =>
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as Partial<T>;

/**
 * Loads data to train a model on; a model made for other shapes or classes is changed to fit, and what was changed is
 * told, but for a head that was asked for. A run that goes on from another, or from weights, takes over how these read pixels, which is told as well.
 *
 * @throws LockstepError as `loadData`
 */
export async function loadTrainingData(
  request: DataRequest,
  model: ModelSpec,
  io: Io,
  source: PixelSource = {},
  hasNewHead = false,
) {
  const loaded = withClassesOf(model, await load(request, io));
  if (hasNewHead) checkHead(model, loaded);
  const { model: adapted, changes } = adaptModel(model, loaded);
  const changed =
    changes.length === 0 ? [] : [guessed(`${model.name} was changed to fit the data: ${changes.join(', ')}`)];
  const dataset = takePixels(withNotes(loaded, changed), source, request.pixels ?? {});
  tellNotes(dataset, io);
  return { dataset, model: adapted };
}

/**
 * Holds the head that a person has asked for against the data: it is not made another one in its place.
 *
 * @throws LockstepError LOCKSTEP_DATA_MODEL
 */
export function checkHead({ classes }: ModelSpec, dataset: Pick<Dataset, 'classes' | 'source'>): void {
  if (dataset.classes === classes) return;
  throw new LockstepError(
    'LOCKSTEP_DATA_MODEL',
    `--replace-head ${classes} gives the model ${countOf(classes, 'class', 'classes')}, the data (${dataset.source}) has ${dataset.classes}. ` +
      `Give --replace-head ${dataset.classes}, or data of ${countOf(classes, 'class', 'classes')}.`,
  );
}

/** Lines of a report that are told when data is loaded; the whole is in `lockstep data`. */
const TOLD = 8;

/** Tells on stderr what a person should know of how data were read, and how the test set was made of them. */
export function tellNotes(dataset: Dataset, io: Io): void {
  const notes = dataset.notes ?? [];
  for (const note of notes.slice(0, TOLD)) writeLine(io.stderr, `${prefixOf(note)}: ${textOf(note)}`);
  if (notes.length > TOLD) tellNote(io, `and ${notes.length - TOLD} more: \`lockstep data\` tells all of them`);
  if (dataset.heldOut !== undefined) tellNote(io, describeHeldOut(dataset));
}

const prefixOf = ({ kind }: Note): string => (kind === 'warning' ? 'warning' : 'note');

async function load({ path, isSample, pixels: _, ...options }: DataRequest, io: Io): Promise<Dataset> {
  const status = canRedraw(io.stderr, io.env) ? new StatusLine(io) : undefined;
  const lost: string[] = [];
  const onWarning = ({ code, message }: { code: string; message: string }): void => {
    if (code === 'LOCKSTEP_DATA_MIRROR') {
      lost.push(message);
      return;
    }
    status?.clear();
    writeLine(io.stderr, `warning: ${message}`);
  };
  const show = (format: (columns: number) => string): void => status?.update(format);
  const showDownload = (progress: DownloadProgress): void => show((columns) => formatDownload(progress, columns));
  try {
    const dataset =
      path === undefined
        ? resizeMnist(
            await (isSample
              ? loadEmbedded()
              : loadMnist({ offline: isOffline(io.env), onWarning, onProgress: showDownload })),
            options,
          )
        : await openDataset(path, {
            ...options,
            onWarning,
            onProgress: (progress) => show(() => formatReading(progress)),
          });
    status?.clear();
    if (dataset.notice !== undefined) writeLine(io.stderr, describeNotice(dataset.notice, lost));
    else for (const message of lost) writeLine(io.stderr, `warning: ${message}`);
    return dataset;
  } finally {
    status?.clear();
  }
}

/** Holds images out for validation; what is to be said of that is told. */
export function holdOutAndTell(dataset: Dataset, count: number, tell: (note: string) => void): Dataset {
  const heldOut = holdOutValidation(dataset, count);
  for (const note of (heldOut.notes ?? []).slice(dataset.notes?.length ?? 0)) tell(textOf(note));
  return heldOut;
}

/** MNIST, which comes without --data, can be resized as other data can; it is no table. */
export function resizeMnist(dataset: Dataset, form: Omit<DataRequest, 'path'>): Dataset {
  const { resize, labelColumn, csvShape, csvLayout } = form;
  const said = { '--label-column': labelColumn, '--csv-shape': csvShape, '--csv-layout': csvLayout };
  const flag = Object.entries(said).find(([, value]) => value !== undefined)?.[0];
  if (flag !== undefined) throw optionError(`${flag} says how to read a CSV file: it needs --data as well`);
  if (resize === undefined) return dataset;
  const kind = dataset.origin?.kind === 'sample' ? 'sample' : 'mnist';
  return { ...resizeDataset(dataset, resize), isResized: true, origin: { kind, form: { resize } } };
}

/**
 * The embedded sample's test images are of MNIST's training set, and few: nothing that is claimed about MNIST can be shown
 * on them.
 *
 * @param what is asked for, such as `speedrun times trainings`
 * @throws LockstepError LOCKSTEP_DATA_SAMPLE
 */
export function refuseSample({ checksum, test }: Dataset, what: string): void {
  if (checksum !== EMBEDDED_CHECKSUM) return;
  throw new LockstepError(
    'LOCKSTEP_DATA_SAMPLE',
    `${what} on MNIST's 10,000 test images, and here is only the embedded sample: ${formatCount(test.count)} images of MNIST's training set. ` +
      'Connect to the network once, or give --data DIR with the full set.',
  );
}

const describeHeldOut = ({ train, test }: Dataset): string =>
  `the data has no test set; ${test.count} of its ${countOf(train.count + test.count, 'image')}, the last of each class, are kept for one (--validation sets how many)`;

/** Labels without names may be fewer than the model's classes: the data then counts as many as the model. */
function withClassesOf(model: ModelSpec, dataset: Dataset): Dataset {
  if (dataset.classNames !== undefined || dataset.classes === model.classes) return dataset;
  const largest = Math.max(
    ...[dataset.train, dataset.validation, dataset.test].map(({ labels }) => findLargest(labels)),
  );
  if (largest >= model.classes) return dataset;
  const { checksum: _, ...parts } = dataset;
  return createDataset({ ...parts, classes: model.classes });
}

const findLargest = (labels: Uint8Array): number => labels.reduce((largest, label) => Math.max(largest, label), 0);

function checkFit(dataset: Dataset, { name, input, classes }: ModelSpec): void {
  const isSameShape = (['channels', 'height', 'width'] as const).every((side) => dataset[side] === input[side]);
  if (isSameShape && dataset.classes <= classes) return;
  const describe = (of: { channels: number; height: number; width: number }, classCount: number): string =>
    `images of ${of.channels}x${of.height}x${of.width} in ${countOf(classCount, 'class', 'classes')}`;
  throw new LockstepError(
    'LOCKSTEP_DATA_MODEL',
    `${name} reads ${describe(input, classes)}, the data (${dataset.source}) has ${describe(dataset, dataset.classes)}. ` +
      'Choose another model or another --data folder.',
  );
}

const BAR_COLUMNS = 20;

/** `reading  45%|█████████           | 450/1,000`. */
export function formatReading({ phase, done, total }: DataProgress): string {
  const fraction = total > 0 ? done / total : 1;
  const percent = `${Math.floor(100 * fraction)}%`.padStart(4);
  return `${phase} ${percent}|${formatBar(fraction, BAR_COLUMNS)}| ${formatCount(done)}/${formatCount(total)}`;
}

/** `train-images-idx3-ubyte.gz  45%|█████████           | 4.5/9.9 MB`. */
export function formatDownload({ file, receivedBytes, totalBytes }: DownloadProgress, columns: number): string {
  const megabytes = (bytes: number): string => fixed(bytes / 1e6, 1);
  if (totalBytes === undefined || totalBytes === 0) return `${file} ${megabytes(receivedBytes)} MB`.slice(-columns);
  const fraction = receivedBytes / totalBytes;
  const percent = `${Math.floor(100 * fraction)}%`.padStart(4);
  const amount = `${megabytes(receivedBytes)}/${megabytes(totalBytes)} MB`;
  const line = `${file} ${percent}|${formatBar(fraction, BAR_COLUMNS)}| ${amount}`;
  return line.length <= columns ? line : `${percent} ${amount}`.trimStart();
}

/** One line: why there is no more than the sample, and what that means. */
export const describeNotice = (notice: string, [lost]: readonly string[]): string =>
  `warning: ${lost === undefined ? '' : `MNIST cannot be downloaded (${lost.replace(/\. (Trying \S+ instead|No mirror is left)\.$/, '')}; --offline does not try): `}${notice}`;
