/** Which weights file a person means who names a run. */
import { findRunWeights } from '@lockstep/watch/files';

/**
 * The file that `--weights` stands for: where it is not the one that was named, that is told.
 *
 * @throws LockstepError LOCKSTEP_WEIGHTS_READ for a folder without weights, and for `latest` where nothing has been trained
 */
export function findNamedWeights(asked: string, tell: (note: string) => void): string {
  const found = findRunWeights(asked);
  if (found !== asked) tell(`--weights ${asked} is ${found}`);
  return found;
}
