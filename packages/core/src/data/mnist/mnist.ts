/** Where MNIST comes from: a folder, else the user's cache, else a download into it, else the embedded sample. */
import { join } from 'node:path';
import { findCacheFolder, isOffline } from '../../files/cache-folder.js';
import { checkOptions } from '../../spec/check-options.js';
import { originAt } from '../dataset/data-origin.js';
import type { Dataset } from '../dataset/dataset.js';
import { assembleIdxDataset, type IdxFile } from '../readers/idx-dataset.js';
import { loadIdxFolder } from '../readers/idx-folder.js';
import type { Warn } from './download.js';
import { loadEmbedded } from './embedded.js';
import { getFiles } from './file-cache.js';
import { MNIST_FILES, MNIST_MIRRORS } from './mnist-files.js';
import { type MnistOptions, mnistSchema } from './mnist-options.js';

/**
 * Loads MNIST from the first place that has it: `directory`; the cache; the mirrors; the embedded sample, which has a
 * `notice`.
 *
 * @throws LockstepError LOCKSTEP_OPTION for an option that is not allowed; as `loadIdxFolder` and `loadEmbedded` do; the signal's reason when aborted
 */
export async function loadMnist(options: MnistOptions = {}): Promise<Dataset> {
  const { directory, classes } = checkOptions(mnistSchema, options);
  if (directory !== undefined) {
    return { ...(await loadIdxFolder(directory, { classes })), origin: originAt(directory, { classes }) };
  }
  const folder = join(options.cacheDirectory ?? findCacheFolder(), 'mnist');
  const found = await getFiles(Object.values(MNIST_FILES), folder, {
    mirrors: options.mirrors ?? MNIST_MIRRORS,
    offline: options.offline ?? isOffline(),
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
      train: { images: pick(trainImages), labels: pick(trainLabels) },
      test: { images: pick(testImages), labels: pick(testLabels) },
    },
    { name: 'mnist', origin: found.mirrors.length > 0 ? found.mirrors.join(' and ') : folder },
  );
  return { ...dataset, origin: { kind: 'mnist' } };
}

const warnProcess: Warn = ({ code, message }) => process.emitWarning(message, { type: 'LockstepWarning', code });
