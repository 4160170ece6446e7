/** What a run is asked to be. */
import type { Dataset, FoundCheckpoint, MetricName, ModelSpec, Recipe, RunControl } from '@lockstep/core';
import type { CheckpointPolicy } from './checkpoints.js';
import type { HeldFolder } from './held-folder.js';
import type { Observers } from './observers.js';

export interface RunOptions {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly dataset: Dataset;
  readonly seed: number;
  /** Stop after this many steps, also in the middle of an epoch. */
  readonly steps?: number | undefined;
  /** Stop after the first epoch whose test accuracy reaches this fraction. */
  readonly until?: number | undefined;
  /** Stop after so many epochs that were not better than the best one. */
  readonly patience?: number | undefined;
  /** By what epochs are compared; default: the accuracy on the validation split, if there is one, else on the test split. */
  readonly best?: MetricName | undefined;
  /** Evaluate after every epoch (the default), or only at the end of the run: no epoch events come then. */
  readonly evaluate?: 'epochs' | 'end' | undefined;
  readonly checkpoints?: CheckpointPolicy | undefined;
  /** Their folder, which the caller gives back; without it none are written. */
  readonly heldFolder?: HeldFolder | undefined;
  /** Go on from here instead of the first step. */
  readonly resume?: FoundCheckpoint | undefined;
  /** Go on although the run differs from the checkpoint's; see `checkResume`. */
  readonly override?: boolean | undefined;
  /** Aborting lets the step end, evaluates, and ends the run with reason `interrupted`. */
  readonly signal?: AbortSignal | undefined;
  /** Asks for pauses, checkpoints and the end; its `stop` does what `signal` does. */
  readonly control?: RunControl | undefined;
  readonly observers?: Observers | undefined;
}
