/**
 * The 10,000 real images that Lockstep carries with it, in `packages/core/sample`: the first 10,000 of MNIST's training
 * set, as a folder of MNIST's own form. What a run falls back on without a network.
 */
import { fileURLToPath } from 'node:url';
import { LockstepError } from '../../errors/errors.js';
import { formatCount, formatCountOf } from '../../text/count-text.js';
import type { Dataset } from '../dataset/dataset.js';
import { loadIdxFolder } from '../readers/idx-folder.js';

/** Where its four files are; written by tools/mnist-sample.mjs. */
export const EMBEDDED_FOLDER = fileURLToPath(new URL('../../../sample', import.meta.url));

/** Its name as a dataset. */
export const EMBEDDED_NAME = 'mnist-sample';

/** Of the dataset as it should come out; another means that the files were changed. */
export const EMBEDDED_CHECKSUM = 'd0c9d9aab6cdf95c7ce69fa67e40bea5ac8b41e78f71215893247b843b4a8a3c';

/**
 * Loads the sample: 8,500 images to train on, 1,500 to test. Within a split the digits alternate, each spread evenly
 * over the whole.
 *
 * @param folder where the files are
 * @throws LockstepError LOCKSTEP_DATA_EMBEDDED when they are missing, or not as they were written
 */
export async function loadEmbedded(folder = EMBEDDED_FOLDER): Promise<Dataset> {
  const dataset = await readSample(folder);
  if (dataset.checksum !== EMBEDDED_CHECKSUM) {
    throw embeddedError(`${folder}: the dataset's checksum is ${dataset.checksum}, expected ${EMBEDDED_CHECKSUM}`);
  }
  const { train, test } = dataset;
  return {
    ...dataset,
    name: EMBEDDED_NAME,
    origin: { kind: 'sample' },
    source: `${formatCount(train.count)} + ${formatCountOf(test.count, 'image')} of MNIST's training set, which Lockstep has with it`,
    reading: { form: 'the embedded sample of MNIST', labels: "MNIST's" },
    notice: `this is the small embedded sample of MNIST: ${formatCountOf(train.count, 'image')} to train on and ${formatCount(test.count)} to test, not the full 60,000 and 10,000, so expect lower accuracy. For the full set connect to the network once, or give --data DIR with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (plain or .gz).`,
  };
}

async function readSample(folder: string): Promise<Dataset> {
  try {
    return await loadIdxFolder(folder);
  } catch (error) {
    const { text = String(error) } = error as Partial<LockstepError>;
    throw embeddedError(text.split('. ')[0] ?? text, { cause: error });
  }
}

function embeddedError(text: string, options?: ErrorOptions): LockstepError {
  return new LockstepError(
    'LOCKSTEP_DATA_EMBEDDED',
    `the embedded sample cannot be used: ${text}. Install Lockstep again (in a clone: git checkout packages/core/sample), or give --data DIR.`,
    options,
  );
}
