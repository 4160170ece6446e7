/** What a training is asked for: the argument of `train`. */
import type { CheckpointPolicy, HeldFolder } from '@lockstep/coordinator';
import type {
  Dataset,
  EngineName,
  FoundCheckpoint,
  MetricName,
  ModelSpec,
  ModelState,
  Recipe,
  RunControl,
  RunObserver,
} from '@lockstep/core';
import type { ClusterSettings } from './cluster-fields.js';

export interface TrainRequest {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly dataset: Dataset;
  /** 0 to 2^53 - 1. */
  readonly seed: number;
  readonly workers: number;
  readonly engine: EngineName;
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
  /** Lets other machines take part. */
  readonly cluster?: ClusterSettings | undefined;
  readonly checkpoints?: CheckpointPolicy | undefined;
  /** The folder of the checkpoints, where the caller has taken it already. */
  readonly heldFolder?: HeldFolder | undefined;
  /** Go on from this checkpoint; see core's `findCheckpoint`. */
  readonly resume?: FoundCheckpoint | undefined;
  /** Go on although the run differs from the checkpoint's. */
  readonly override?: boolean | undefined;
  /** Start from these instead of the seed's initial weights. */
  readonly initial?: ModelState | undefined;
  /** Whatever started this run starts it again when it ends before its end: its nodes wait for that. */
  readonly preemptible?: boolean | undefined;
  /** Aborting finishes the step, evaluates, and ends the run with reason `interrupted`. */
  readonly signal?: AbortSignal | undefined;
  /** Asks for pauses, checkpoints and the end while the run goes. */
  readonly control?: RunControl | undefined;
  /** Who watches; every one of them is closed when the run is over, however it ends. */
  readonly observers?: readonly RunObserver[] | undefined;
}
