/** Loads the data of a command and tells on stderr what a person should know about it. */
import { type Dataset, type DownloadProgress, loadMnist } from '@lockstep/core';
import { type Io, writeLine } from './io.js';
import { formatBar } from './progress.js';
import { canRedraw, StatusLine } from './terminal.js';

/**
 * Loads MNIST from a folder, or else from the cache, the mirrors or the embedded sample.
 *
 * @param classes of the model: labels in the folder must be below
 */
export async function loadData(directory: string | undefined, classes: number, io: Io): Promise<Dataset> {
  const status = canRedraw(io.stderr, io.env) ? new StatusLine(io.stderr, io.now) : undefined;
  try {
    const dataset = await loadMnist({
      directory,
      classes,
      onProgress: (progress) => status?.update((columns) => formatDownload(progress, columns)),
      onWarning: ({ message }) => {
        status?.clear();
        writeLine(io.stderr, `warning: ${message}`);
      },
    });
    status?.clear();
    if (dataset.notice !== undefined) writeLine(io.stderr, frameNotice(dataset.notice));
    return dataset;
  } finally {
    status?.clear();
  }
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
