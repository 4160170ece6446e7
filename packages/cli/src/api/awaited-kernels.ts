/** Whether a run waits for kernels that are still to be compiled: not where it can go over to them on its way. */
import { LockstepError } from '@lockstep/core/errors';
import type { OnWarning } from '@lockstep/core/seams';
import { type CompileKernels, notCompiled, stayingOnWasm } from '@lockstep/worker/node';
import type { TrainRequest } from './train-request.js';

/**
 * Has the kernels for this machine compiled now for a run that shares its steps, or wants no others. To be called before the
 * run has begun, where a signal ends the process at once.
 *
 * @returns what is left to be done beside the run
 * @throws LockstepError LOCKSTEP_KERNELS when it waits for native ones, and they cannot be compiled
 */
export async function awaitKernels(
  request: Pick<TrainRequest, 'compileKernels' | 'kernels' | 'cluster' | 'engine'>,
  onWarning: OnWarning,
): Promise<CompileKernels | undefined> {
  const { compileKernels, kernels = 'auto', cluster, engine } = request;
  if (compileKernels === undefined || kernels === 'wasm') return undefined;
  if (kernels === 'auto' && cluster === undefined && engine === 'native') return compileKernels;
  const reason = await compileKernels();
  if (reason === undefined) return undefined;
  if (kernels === 'native')
    throw new LockstepError('LOCKSTEP_KERNELS', `no native kernels can run here: ${notCompiled(reason)}`);
  onWarning(stayingOnWasm(notCompiled(reason)));
  return undefined;
}
