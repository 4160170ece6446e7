/** What an engine needs before the first worker. */
import type { EngineName } from '@lockstep/core/seams';
import { loadKernels } from '@lockstep/kernels';
import { ENGINE_NAME, prepareTensorFlow } from '../tensorflow-engine/installation.js';

/**
 * Makes this process ready for workers with an engine; call it on the main thread.
 *
 * @returns the engine for people
 * @throws LockstepError LOCKSTEP_ENGINE_MISSING when it has to be set up first
 */
export function prepareEngine(name: EngineName): string {
  if (name === 'native') return `native (${loadKernels().isa})`;
  prepareTensorFlow();
  return ENGINE_NAME;
}
