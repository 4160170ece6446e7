/** What a run is asked to be. */

import type { Beginning, RunControl, RunEnds, RunFields, RunIdentity } from '@lockstep/core/seams';
import type { FoundCheckpoint } from '@lockstep/core/state';
import type { HeldFolder } from './held-folder.js';
import type { Observers } from './observers.js';

type Asked = RunEnds & Pick<RunFields, 'checkpoints' | 'override'>;

export interface RunOptions extends RunIdentity, Asked {
  /** The folder of the run itself, for its checkpoints to name; its path is undefined until it is made. */
  readonly runFolder?: { readonly path: string | undefined } | undefined;
  /** Of a run that goes on, its checkpoint says it. */
  readonly beginning?: Beginning | undefined;
  /** Their folder, which the caller gives back; without it none are written. */
  readonly heldFolder?: HeldFolder | undefined;
  /** Go on from here instead of the first step; see core's `findCheckpoint`. */
  readonly resume?: FoundCheckpoint | undefined;
  /** Aborting lets the step end, evaluates, and ends the run with reason `interrupted`. */
  readonly signal?: AbortSignal | undefined;
  /** Asks for pauses, checkpoints and the end while the run goes; its `stop` does what `signal` does. */
  readonly control?: RunControl | undefined;
  readonly observers?: Observers | undefined;
}
