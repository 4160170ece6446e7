/** Loads the data of a command and tells on stderr what a person should know about it. */
import { type Dataset, type DownloadProgress, LockstepError, loadMnist, type ModelSpec } from '@lockstep/core';
import { type Io, writeLine } from './io.js';
import { formatBar } from './progress.js';
import { canRedraw, StatusLine } from './terminal.js';

/**
 * Loads the data of a model: a folder, or else MNIST from the cache, the mirrors or the embedded sample.
 *
 * @throws LockstepError as core's `loadMnist`; LOCKSTEP_DATA_MODEL when the model cannot read it
 */
export async function loadData(directory: string | undefined, model: ModelSpec, io: Io): Promise<Dataset> {
  const status = canRedraw(io.stderr, io.env) ? new StatusLine(io.stderr, io.now) : undefined;
  try {
    const dataset = await loadMnist({
      directory,
      classes: model.classes,
      onProgress: (progress) => status?.update((columns) => formatDownload(progress, columns)),
      onWarning: ({ message }) => {
        status?.clear();
        writeLine(io.stderr, `warning: ${message}`);
      },
    });
    status?.clear();
    checkFit(dataset, model);
    if (dataset.notice !== undefined) writeLine(io.stderr, frameNotice(dataset.notice));
    return dataset;
  } finally {
    status?.clear();
  }
}

function checkFit(dataset: Dataset, { name, input, classes }: ModelSpec): void {
  const isSameShape = (['channels', 'height', 'width'] as const).every((side) => dataset[side] === input[side]);
  if (isSameShape && dataset.classes <= classes) return;
  const describe = (of: { channels: number; height: number; width: number }, classCount: number): string =>
    `images of ${of.channels}x${of.height}x${of.width} in ${classCount} classes`;
  throw new LockstepError(
    'LOCKSTEP_DATA_MODEL',
    `${name} reads ${describe(input, classes)}, the data (${dataset.source}) has ${describe(dataset, dataset.classes)}. ` +
      'Choose another model or another --data folder.',
  );
}

const BAR_COLUMNS = 20;

/** `train-images-idx3-ubyte.gz  45%|█████████           | 4.5/9.9 MB`. */
export function formatDownload({ file, receivedBytes, totalBytes }: DownloadProgress, columns: number): string {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  if (totalBytes === undefined || totalBytes === 0) return `${file} ${megabytes(receivedBytes)} MB`.slice(-columns);
  const fraction = receivedBytes / totalBytes;
  const percent = `${Math.floor(100 * fraction)}%`.padStart(4);
  const amount = `${megabytes(receivedBytes)}/${megabytes(totalBytes)} MB`;
  const line = `${file} ${percent}|${formatBar(fraction, BAR_COLUMNS)}| ${amount}`;
  return line.length <= columns ? line : `${percent} ${amount}`.trimStart();
}

/** Loud on purpose: results on other data than expected would mislead. */
function frameNotice(notice: string): string {
  const rule = '*'.repeat(72);
  return `${rule}\n${notice}\n${rule}`;
}
