/** What an engine needs before the first worker. */
import type { EngineName } from '@lockstep/core/seams';
import { findIsa, type KernelChoice } from '@lockstep/kernels';
import { ENGINE_NAME, prepareTensorFlow } from '../tensorflow-engine/installation.js';
import { withKernelCodes } from './kernels-error.js';

/**
 * Makes this process ready for workers with an engine; call it on the main thread.
 *
 * @param choice which builds of the kernels may be taken
 * @returns the engine for people
 * @throws LockstepError LOCKSTEP_ENGINE_MISSING when it has to be set up first, LOCKSTEP_KERNELS when no such build can run here
 */
export function prepareEngine(name: EngineName, choice?: KernelChoice): string {
  if (name === 'native') return `native (${withKernelCodes(() => findIsa(choice))})`;
  prepareTensorFlow();
  return ENGINE_NAME;
}
