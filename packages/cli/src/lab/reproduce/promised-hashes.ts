/**
 * The hashes that are promised: `promised-hashes.json` of this package. A run with the same model, recipe, seed, data and
 * number of steps ends with the same parameters, on any machine.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeFileAtomically } from '@lockstep/core/files';

const PROMISES_FILE = fileURLToPath(new URL('../../../promised-hashes.json', import.meta.url));

export interface PromisedHash {
  readonly model: string;
  /** Its name. */
  readonly recipe: string;
  readonly seed: number;
  readonly steps: number;
  /** The dataset's checksum. */
  readonly data: string;
  readonly parametersSha256: string;
}

/** Whether a hash is as it was promised; `new` if nothing was. */
export type HashVerdict = 'same' | 'other' | 'new';

export const readPromises = (file = PROMISES_FILE): PromisedHash[] =>
  JSON.parse(readFileSync(file, 'utf8')) as PromisedHash[];

const isSameRun = (a: PromisedHash, b: PromisedHash): boolean =>
  a.model === b.model && a.recipe === b.recipe && a.seed === b.seed && a.steps === b.steps && a.data === b.data;

export function judgeHash(promises: readonly PromisedHash[], run: PromisedHash): HashVerdict {
  const promised = promises.find((promise) => isSameRun(promise, run));
  if (promised === undefined) return 'new';
  return promised.parametersSha256 === run.parametersSha256 ? 'same' : 'other';
}

/** Adds runs to the promises, in place of those of the same run, and writes them. */
export function recordPromises(runs: readonly PromisedHash[], file = PROMISES_FILE): void {
  const kept = readPromises(file).filter((promise) => !runs.some((run) => isSameRun(promise, run)));
  const all = [...kept, ...runs].sort((a, b) => keyOf(a).localeCompare(keyOf(b), 'en'));
  writeFileAtomically(file, [Buffer.from(`${JSON.stringify(all, null, 2)}\n`)]);
}

const keyOf = ({ model, recipe, seed, steps, data }: PromisedHash): string =>
  [model, recipe, data, String(steps).padStart(9, '0'), String(seed).padStart(9, '0')].join(' ');
