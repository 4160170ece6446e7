/** Whether a run may go on from a checkpoint, and with what. */

import type { Dataset } from '@lockstep/core/data';
import { LockstepError } from '@lockstep/core/errors';
import { optimizerSlots } from '@lockstep/core/run';
import type { NodeSnapshot, RunIdentity } from '@lockstep/core/seams';
import type { Recipe } from '@lockstep/core/spec';
import type { Checkpoint, CheckpointInfo } from '@lockstep/core/state';

/** Fields that say where in an epoch a step stands: they cannot change inside a run. */
const FIXED = ['model', 'recipe.batchSize', 'trainSamples'];

/**
 * Checks that a run is the one that a checkpoint was written by.
 *
 * @param override whether to go on with what differs, where that has a meaning
 * @returns what differs, to be told
 * @throws LockstepError LOCKSTEP_CHECKPOINT_DATA for another number of training images; LOCKSTEP_CHECKPOINT_DIFFERS listing what differs; LOCKSTEP_CHECKPOINT_FIXED for what cannot be
 *   overridden
 */
export function checkResume(info: CheckpointInfo, run: RunIdentity, override: boolean): string[] {
  const differences = listDifferences(describeInfo(info), describeRun(run, info.dataset.pixels !== undefined));
  const fixed = differences.filter(({ path }) => FIXED.some((name) => path === name || path.startsWith(`${name}.`)));
  if (!override && fixed.length > 0 && fixed.every(({ path }) => path === 'trainSamples')) throw otherData(info, run);
  if (fixed.length > 0) {
    throw new LockstepError(
      'LOCKSTEP_CHECKPOINT_FIXED',
      `the run cannot go on from step ${info.step} with ${formatDifferences(fixed)}. Start a new run from its weights instead: --weights.`,
    );
  }
  if (differences.length > 0 && !override) {
    throw new LockstepError(
      'LOCKSTEP_CHECKPOINT_DIFFERS',
      `the run differs from the checkpoint of step ${info.step}: ${formatDifferences(differences)}. ` +
        'Leave these as they were, or go on with --override (the result is then no longer that of one recipe).',
    );
  }
  return differences.map(({ text }) => text);
}

/** With other data than the checkpoint's nothing else that differs says anything. */
function otherData({ step, dataset }: CheckpointInfo, { dataset: now }: RunIdentity): LockstepError {
  const describe = (source: string, held: number, checksum: string): string =>
    `${source}${held > 0 ? ` (${held} held out)` : ''}, SHA-256 ${checksum.slice(0, 12)}...`;
  return new LockstepError(
    'LOCKSTEP_CHECKPOINT_DATA',
    `the run of step ${step} was trained on ${describe(dataset.source, dataset.validationSamples, dataset.checksum)}: ` +
      `this is ${describe(now.source, now.validation.count, now.checksum)}. ` +
      'Give the same --data and --validation as before, or leave both out where they are as they were.',
  );
}

interface Difference {
  readonly path: string;
  readonly text: string;
}

const formatDifferences = (differences: readonly Difference[]): string =>
  differences.map(({ text }) => text).join('; ');

const describeInfo = ({ model, recipe, seed, dataset }: CheckpointInfo): Map<string, string> => {
  const { checksum, trainSamples, pixels } = dataset;
  return flatten({ model, recipe, seed, dataset: checksum, ...namePixels(pixels), trainSamples });
};

/** @param isKnown whether the checkpoint says how pixels are read */
const describeRun = ({ model, recipe, seed, dataset }: RunIdentity, isKnown: boolean): Map<string, string> => {
  const { checksum, train } = dataset;
  const pixels = isKnown ? namePixels(dataset) : {};
  return flatten({ model, recipe, seed, dataset: checksum, ...pixels, trainSamples: train.count });
};

/** What of the pixels decides the result, and what was said of how the weights read later ones. */
const namePixels = (pixels?: Pick<Dataset, 'mean' | 'std' | 'ground' | 'white'>) =>
  pixels && {
    mean: pixels.mean.join(','),
    std: pixels.std.join(','),
    ground: pixels.ground ?? 'as measured',
    white: pixels.white ?? 'as measured',
  };

/** Every value under its path: `recipe.optimizer.momentum` to `0.9`. What is undefined is left out. */
function flatten(value: unknown, path = ''): Map<string, string> {
  if (value === undefined) return new Map();
  if (typeof value !== 'object' || value === null) return new Map([[path, JSON.stringify(value)]]);
  const under = Object.entries(value).map(([name, part]) => flatten(part, path === '' ? name : `${path}.${name}`));
  return new Map(under.flatMap((map) => [...map]));
}

function listDifferences(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): Difference[] {
  const paths = [...new Set([...before.keys(), ...now.keys()])].filter((path) => before.get(path) !== now.get(path));
  return paths.map((path) => ({
    path,
    text: `${path} is ${now.get(path) ?? 'not set'}, was ${before.get(path) ?? 'not set'}`,
  }));
}

/**
 * The snapshot to go on from under a recipe that may be another: a new kind of optimizer starts with slots of zeros, a new
 * moving average from the state.
 */
export function adaptSnapshot({ info, snapshot }: Checkpoint, recipe: Recipe): NodeSnapshot {
  const isSameOptimizer = info.recipe.optimizer.type === recipe.optimizer.type;
  const slots = Array.from({ length: optimizerSlots(recipe.optimizer) }, (_, slot) =>
    isSameOptimizer && snapshot.slots[slot] ? snapshot.slots[slot] : new Float32Array(snapshot.state.length),
  );
  const average = recipe.ema === undefined ? undefined : (snapshot.average ?? snapshot.state);
  return { ...snapshot, slots, average };
}
