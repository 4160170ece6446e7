/** Where to look for MNIST: what a program may say, and in which ranges. */
import type { z } from 'zod';
import { type Check, isBoolean, isFunction, isText, isTexts } from '../../errors/checks.js';
import { allowedBy, fieldsOf } from '../../spec/check-options.js';
import { isClassCount } from '../dataset/check-dataset.js';
import type { DownloadLimits, DownloadProgress, Warn } from './download.js';

const isSignal: Check = (value) =>
  value instanceof AbortSignal ? undefined : 'must be an object of the class AbortSignal';
const isLimits: Check = (value) => {
  const { noNetworkMs, silenceMs } = Object(value) as Partial<DownloadLimits>;
  return [noNetworkMs, silenceMs].every((ms) => typeof ms === 'number' && ms > 0)
    ? undefined
    : 'must be an object with noNetworkMs and silenceMs above 0';
};

export const mnistSchema = fieldsOf({
  /** A folder of IDX files under MNIST's names, of any size and shape; nothing else is tried then. */
  directory: allowedBy<string>(isText).optional(),
  /** In a folder, labels must be below; 1 to 256. Default: what the labels need, at least 10. */
  classes: allowedBy<number>(isClassCount).optional(),
  /** Lockstep's cache folder; MNIST is in `mnist` under it. Default: `findCacheFolder()`. */
  cacheDirectory: allowedBy<string>(isText).optional(),
  /** Addresses, each ending with a slash, tried in turn. */
  mirrors: allowedBy<readonly string[]>(isTexts).optional(),
  /** Never touch the network. Default: whether LOCKSTEP_OFFLINE is set. */
  offline: allowedBy<boolean>(isBoolean).optional(),
  limits: allowedBy<DownloadLimits>(isLimits).optional(),
  onProgress: allowedBy<(progress: DownloadProgress) => void>(isFunction).optional(),
  /** Mirrors that failed, a damaged or unwritable cache. Default: a process warning. */
  onWarning: allowedBy<Warn>(isFunction).optional(),
  signal: allowedBy<AbortSignal>(isSignal).optional(),
});

export interface MnistOptions extends Readonly<z.input<typeof mnistSchema>> {}
