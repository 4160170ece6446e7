/** The data of a run that goes on: its checkpoint knows where they were and how they were read. */

import type { Dataset } from '@lockstep/core/data';
import { LockstepError } from '@lockstep/core/errors';
import type { CheckpointInfo } from '@lockstep/core/state';
import { type DataRequest, definedOf } from './data.js';

/** What is to be read: what is asked for, else what the checkpoint says. */
export function recallData({ dataset: { origin } }: CheckpointInfo, { path, ...asked }: DataRequest): DataRequest {
  if (origin?.kind === 'path') return { ...origin.form, ...definedOf(asked), path: path ?? origin.path };
  if (origin === undefined || origin.kind === 'given' || path !== undefined) return { ...asked, path };
  return { ...origin.form, ...definedOf(asked), path, isSample: origin.kind === 'sample' };
}

/**
 * Reads data that nobody named, and checks that it is what the checkpoint was written with.
 *
 * @param isAnyTaken whether other data is taken as well: what differs is told later then
 * @throws LockstepError LOCKSTEP_CHECKPOINT_DATA when it is not there any more, or other data is
 */
export async function readRecalled(
  info: CheckpointInfo,
  isAnyTaken: boolean,
  read: () => Promise<Dataset>,
): Promise<Dataset> {
  if (info.dataset.origin?.kind === 'given') throw askForData(info, 'a program made it');
  const dataset = await read().catch((cause: unknown) => {
    const isAbout = cause instanceof LockstepError && cause.code.startsWith('LOCKSTEP_DATA');
    throw isAbout ? askForData(info, firstSentence(cause.text), cause) : cause;
  });
  if (isAnyTaken || dataset.checksum === info.dataset.checksum) return dataset;
  throw askForData(
    info,
    `there is now ${dataset.source}${describeValidation(dataset.validation.count)}, SHA-256 ${short(dataset.checksum)}`,
  );
}

function askForData({ step, dataset }: CheckpointInfo, reason: string, cause?: unknown): LockstepError {
  const { source, checksum, validationSamples, origin } = dataset;
  const place = origin?.kind === 'path' && !source.endsWith(origin.path) ? `, ${origin.path}` : '';
  return new LockstepError(
    'LOCKSTEP_CHECKPOINT_DATA',
    `the run of step ${step} was trained on ${source}${describeValidation(validationSamples)}${place}, SHA-256 ${short(checksum)}: ${reason}. ` +
      `${origin?.kind === 'mnist' ? 'Connect to the network once, or say' : 'Say'} where the same data is with --data PATH.`,
    { cause },
  );
}

/** What is wrong, without what to do: that is another thing here. */
const firstSentence = (text: string): string => text.replace(/\.( [A-Z].*)?$/s, '');

const describeValidation = (count: number): string => (count > 0 ? ` (${count} held out)` : '');

const short = (checksum: string): string => `${checksum.slice(0, 12)}...`;
