/** Where MNIST comes from: a folder, else the user's cache, else a download into it, else the embedded sample. */
import { join } from 'node:path';
import { findCacheFolder } from './cache-folder.js';
import { originAt } from './data-origin.js';
import type { Dataset } from './dataset.js';
import type { DownloadLimits, DownloadProgress, Warn } from './download.js';
import { loadEmbedded } from './embedded.js';
import { getFiles } from './file-cache.js';
import { assembleIdxDataset, type IdxFile } from './idx-dataset.js';
import { loadIdxFolder } from './idx-folder.js';
import { MNIST_FILES, MNIST_MIRRORS } from './mnist-files.js';

export interface MnistOptions {
  /** A folder of IDX files under MNIST's names, of any size and shape; nothing else is tried then. */
  readonly directory?: string | undefined;
  /** In a folder, labels must be below; default: what the labels need, at least 10. */
  readonly classes?: number | undefined;
  /** Lockstep's cache folder; MNIST is in `mnist` under it. Default: `findCacheFolder()`. */
  readonly cacheDirectory?: string | undefined;
  /** Addresses, each ending with a slash, tried in turn. */
  readonly mirrors?: readonly string[] | undefined;
  /** Never touch the network. */
  readonly offline?: boolean | undefined;
  readonly limits?: DownloadLimits | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Mirrors that failed, a damaged or unwritable cache. Default: a process warning. */
  readonly onWarning?: Warn | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Loads MNIST from the first place that has it: `directory`; the cache; the mirrors; the embedded sample, which has a
 * `notice`.
 *
 * @throws LockstepError as `loadIdxFolder` and `loadEmbedded` do; the signal's reason when aborted
 */
export async function loadMnist(options: MnistOptions = {}): Promise<Dataset> {
  const { directory, classes } = options;
  if (directory !== undefined) {
    return { ...(await loadIdxFolder(directory, classes)), origin: originAt(directory, { classes }) };
  }
  const folder = join(options.cacheDirectory ?? findCacheFolder(), 'mnist');
  const found = await getFiles(Object.values(MNIST_FILES), folder, {
    mirrors: options.mirrors ?? MNIST_MIRRORS,
    offline: options.offline,
    limits: options.limits,
    onProgress: options.onProgress,
    onWarning: options.onWarning ?? warnProcess,
    signal: options.signal,
  });
  if (found === undefined) return loadEmbedded();
  const pick = ({ name }: { name: string }): IdxFile => ({
    source: join(folder, name),
    bytes: found.contents.get(name) ?? new Uint8Array(),
  });
  const { trainImages, trainLabels, testImages, testLabels } = MNIST_FILES;
  const dataset = assembleIdxDataset(
    {
      trainImages: pick(trainImages),
      trainLabels: pick(trainLabels),
      testImages: pick(testImages),
      testLabels: pick(testLabels),
    },
    { name: 'mnist', origin: found.mirrors.length > 0 ? found.mirrors.join(' and ') : folder },
  );
  return { ...dataset, origin: { kind: 'mnist' } };
}

const warnProcess: Warn = ({ code, message }) => process.emitWarning(message, { type: 'LockstepWarning', code });
