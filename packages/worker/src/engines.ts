/** Makes an engine by its name. What an engine needs is loaded only when it is asked for. */

import type { Layer } from '@lockstep/core/model';
import type { ContributionLayout } from '@lockstep/core/run';
import type { EngineName } from '@lockstep/core/seams';
import type { Recipe } from '@lockstep/core/spec';
import type { Engine, EngineData, EngineMemory, EngineTask } from './engine.js';
import { tailOf } from './native-engine/compile.js';
import { NativeEngine } from './native-engine/native-engine.js';

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
