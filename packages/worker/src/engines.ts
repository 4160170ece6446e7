/** Makes an engine by its name. What an engine needs is loaded only when it is asked for. */
import type { ContributionLayout, EngineName, Layer, Recipe } from '@lockstep/core';
import { loadKernels } from '@lockstep/kernels';
import type { Engine, EngineData, EngineMemory, EngineTask } from './engine.js';
import { tailOf } from './native-engine/compile.js';
import { NativeEngine } from './native-engine/native-engine.js';
import { ENGINE_NAME, prepareTensorFlow } from './tensorflow-engine/installation.js';

/**
 * Makes this process ready for workers with an engine; call it on the main thread, before the first worker.
 *
 * @returns the engine for people
 * @throws LockstepError LOCKSTEP_ENGINE_MISSING when it has to be set up first
 */
export function prepareEngine(name: EngineName): string {
  if (name === 'native') return `native (${loadKernels().isa})`;
  prepareTensorFlow();
  return ENGINE_NAME;
}

export async function createEngine(
  name: EngineName,
  task: EngineTask,
  memory: EngineMemory,
  data: EngineData,
): Promise<Engine> {
  if (name === 'native') return new NativeEngine(task, memory, data);
  const { TensorFlowEngine } = await import('./tensorflow-engine/tensorflow-engine.js');
  return new TensorFlowEngine(task, memory, data);
}

/** Where an engine's tail begins: floats of a contribution that are final before it returns; the length if it has none. */
export function findTail(
  name: EngineName,
  layers: readonly Layer[],
  layout: ContributionLayout,
  recipe: Recipe,
): number {
  return name === 'native' ? tailOf(layers, layout, recipe) : layout.length;
}
