/** The data of a run that goes on, is run again or evaluated: it is known where they were and how they were read. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type DataRecord, type Dataset, describeNormalization } from '@lockstep/core/data';
import { LockstepError } from '@lockstep/core/errors';
import type { CheckpointInfo } from '@lockstep/core/state';
import { outFiles, weightsFiles } from '@lockstep/watch/files';
import type { AgainSettings } from '../settings/run-again.js';
import { type DataRequest, definedOf } from './data.js';

/** A run whose data are known. */
export interface KnownRun {
  /** For people: `the run of step 400`. */
  readonly name: string;
  readonly data: DataRecord;
  /** Of the error when they are not there any more. */
  readonly code: LockstepError['code'];
}

export const resumedRun = ({ step, dataset }: CheckpointInfo): KnownRun => ({
  name: `the run of step ${step}`,
  data: dataset,
  code: 'LOCKSTEP_CHECKPOINT_DATA',
});

export const runAgain = ({ path, dataset }: AgainSettings): KnownRun => ({
  name: `the run of ${path}`,
  data: dataset,
  code: 'LOCKSTEP_CONFIG_RUN',
});

/**
 * The run in whose folder weights lie, where it was trained on data of somebody's own.
 *
 * @throws LockstepError LOCKSTEP_CONFIG when its run.json is damaged
 */
export async function runOfWeights(weights: string): Promise<KnownRun | undefined> {
  const path = join(dirname(weights), outFiles.run);
  const isOfRun = Object.values<string>(weightsFiles).includes(basename(weights)) && existsSync(path);
  if (!isOfRun) return undefined;
  // a config file may be YAML, whose reader other commands need not load
  const { readConfigFile } = await import('../settings/config-file.js');
  const data = readConfigFile(path).again?.dataset;
  return data?.origin?.kind === 'path' ? { name: `the run of ${path}`, data, code: 'LOCKSTEP_CONFIG_RUN' } : undefined;
}

/** What is to be read: what is asked for, else what is known. */
export function recallData({ origin }: DataRecord, { path, ...asked }: DataRequest): DataRequest {
  if (origin?.kind === 'path') return { ...origin.form, ...definedOf(asked), path: path ?? origin.path };
  if (origin === undefined || origin.kind === 'given' || path !== undefined) return { ...asked, path };
  return { ...origin.form, ...definedOf(asked), path, isSample: origin.kind === 'sample' };
}

/**
 * Reads data that nobody named, and checks that it is what the run was trained on.
 *
 * @param isAnyTaken whether other data is taken as well: what differs is told later then
 * @throws LockstepError with the run's code when it is not there any more, or other data is
 */
export async function readRecalled(run: KnownRun, isAnyTaken: boolean, read: () => Promise<Dataset>): Promise<Dataset> {
  if (run.data.origin?.kind === 'given') throw askForData(run, 'a program made it');
  const dataset = await read().catch((cause: unknown) => {
    const isAbout = cause instanceof LockstepError && cause.code.startsWith('LOCKSTEP_DATA');
    throw isAbout ? askForData(run, firstSentence(cause.text), cause) : cause;
  });
  if (isAnyTaken || dataset.checksum === run.data.checksum) return dataset;
  throw askForData(run, `there is now ${describeData(dataset, dataset.validation.count)}`);
}

/** A line for people when a run is run again with other data than it was trained on; undefined when it is the same. */
export function noteOtherData({ name, data }: KnownRun, dataset: Dataset): string | undefined {
  if (dataset.checksum === data.checksum) return undefined;
  const [now, then] = [describeData(dataset, dataset.validation.count), describeData(data, data.validationSamples)];
  return `${name} was trained on ${then}; this is ${now}, with pixels read as there, ${describeNormalization(dataset)}`;
}

function askForData({ name, data, code }: KnownRun, reason: string, cause?: unknown): LockstepError {
  const { source, validationSamples, origin } = data;
  const place = origin?.kind === 'path' && !source.endsWith(origin.path) ? `, ${origin.path}` : '';
  return new LockstepError(
    code,
    `${name} was trained on ${describeData(data, validationSamples, place)}: ${reason}. ` +
      `${origin?.kind === 'mnist' ? 'Connect to the network once, or say' : 'Say'} where the same data is with --data PATH.`,
    { cause },
  );
}

/** What is wrong, without what to do: that is another thing here. */
const firstSentence = (text: string): string => text.replace(/\.( [A-Z].*)?$/s, '');

/** `200 + 40 images from data (50 held out), SHA-256 9d0344353bf0...`. */
const describeData = (
  { source, checksum }: Pick<DataRecord, 'source' | 'checksum'>,
  heldOut: number,
  place = '',
): string => `${source}${heldOut > 0 ? ` (${heldOut} held out)` : ''}${place}, SHA-256 ${checksum.slice(0, 12)}...`;
