/** Which folder a resumed run writes on in: its own, unless another branch of the run would lose something in it. */
import { dirname, join, relative, resolve } from 'node:path';
import { checkResume } from '@lockstep/coordinator/run';
import type { Dataset } from '@lockstep/core/data';
import { LockstepError } from '@lockstep/core/errors';
import { type FoundCheckpoint, listCheckpoints } from '@lockstep/core/state';
import { findProgress, weightsFiles } from '@lockstep/watch/files';
import type { RunSettings } from '../settings/run-settings.js';
import { readStepsOfWeights } from '../settings/weights-file.js';

/**
 * Gives a resumed run the folder that it has had. A new one is made where that is gone, or where the run there ended
 * further on, or has come further with another recipe, seed or data: what it kept is of another branch then. One that was
 * killed further on does the same steps again, to the same bits, so it may.
 *
 * @throws LockstepError as `checkResume`; LOCKSTEP_OUT_EXISTS when a person has named a folder in which another branch would lose something
 */
export function settleFolder(settings: RunSettings, dataset: Dataset): RunSettings {
  const { resume, watch, outFolder, runFolder, model, recipe, seed } = settings;
  if (resume === undefined) return settings;
  const { info } = resume.checkpoint;
  const isSame = checkResume(info, { model, recipe, seed, dataset }, settings.override === true).length === 0;
  if (outFolder !== undefined) {
    const further = isSame ? undefined : findFurther(outFolder, resume, false);
    if (further === undefined) return settings;
    throw new LockstepError(
      'LOCKSTEP_OUT_EXISTS',
      `${outFolder} holds a run that has come to step ${further}, and this one goes on from step ${info.step} in another way. Choose another --out folder.`,
    );
  }
  if (runFolder === undefined || info.runFolder === undefined || findProgress(info.runFolder) === undefined) {
    return settings;
  }
  if (findFurther(info.runFolder, resume, isSame) !== undefined) return settings;
  return {
    ...settings,
    runFolder: undefined,
    watch: { ...watch, out: relative('.', info.runFolder) || info.runFolder },
  };
}

/**
 * How far the run in a folder has come, if that is beyond the checkpoint: to an end where it is the same run; with another
 * recipe also to anything that it has kept, of which checkpoints are the surest, since a run that is killed loses lines.
 */
function findFurther(folder: string, { path, checkpoint }: FoundCheckpoint, isSame: boolean): number | undefined {
  const progress = findProgress(folder);
  if (progress === undefined) return undefined;
  const { ended, kept } = progress;
  const best = readStepsOfWeights(join(folder, weightsFiles.best)) ?? 0;
  const newest = listCheckpoints(dirname(resolve(path))).at(-1) ?? 0;
  const steps = isSame ? ended : Math.max(kept, best, newest);
  return steps > checkpoint.info.step ? steps : undefined;
}
