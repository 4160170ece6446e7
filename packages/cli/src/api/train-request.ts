/** What a training is asked for: the argument of `train`. */
import type { RunOptions } from '@lockstep/coordinator/run';
import type { ModelState } from '@lockstep/core/run';
import type { RunFields, RunObserver } from '@lockstep/core/seams';
import type { CompileKernels } from '@lockstep/worker/node';
import type { ClusterSettings } from '../fields/cluster-fields.js';

type Asked = Pick<RunFields, 'workers' | 'engine' | 'kernels' | 'preemptible'>;

export interface TrainRequest extends Omit<RunOptions, 'observers'>, Asked {
  /** See LocalNodeOptions: for a run that goes over to other kernels on its way, as `awaitKernels` finds. */
  readonly compileKernels?: CompileKernels | undefined;
  /** Lets other machines take part. */
  readonly cluster?: ClusterSettings | undefined;
  /** Gets a line when the run is over and waits for nodes that are still to be told so. */
  readonly tell?: ((line: string) => void) | undefined;
  /** Start from these instead of the seed's initial weights. */
  readonly initial?: ModelState | undefined;
  /** Who watches; every one of them is closed when the run is over, however it ends. */
  readonly observers?: readonly RunObserver[] | undefined;
}
