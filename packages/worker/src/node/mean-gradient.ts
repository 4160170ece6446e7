/** The gradient of the last step, for those who watch: added up once more, in the canonical order, from what it left behind. */

import { roundToBf16 } from '@lockstep/core/math';
import { inferLayers } from '@lockstep/core/model';
import { foldStep, planContribution, planFreeze, samplesInStep, stepsPerEpoch } from '@lockstep/core/run';
import { planMemory, viewFloats } from '../plan/memory-plan.js';
import { planStep } from '../plan/step-plan.js';
import type { NodeWorkerData } from '../threads/thread-messages.js';

/**
 * The mean over the step's samples, before clipping: one vector per parameter, in the model's order; zeros for what is
 * frozen. No step may be under way.
 *
 * @param isShared whether several nodes computed the step; its finished reduction is in the arena then
 */
export function readMeanGradient(data: NodeWorkerData, step: number, isShared: boolean): Float32Array[] {
  const { model, recipe, workers, arena, splits } = data;
  const layers = inferLayers(model);
  const layout = planContribution(layers);
  const memory = planMemory(layout, recipe, workers, data.partials);
  const frozen = planFreeze(layers, recipe.freeze).names;
  const { count } = splits.train;
  const samples = samplesInStep(step % stepsPerEpoch(count, recipe.batchSize), count, recipe.batchSize);
  const { partials, fold } = isShared
    ? { partials: [memory.reductionAt], fold: [foldStep.push] }
    : planStep(samples, recipe.shardSize, workers, memory);
  return layout.regions.flatMap((region) => {
    if (region.kind !== 'parameter') return [];
    const { offset, size, parameter } = region;
    if (frozen.has(parameter.name)) return [new Float32Array(size)];
    const sums = Array.from(partials, (unit) => viewFloats(arena, unit, size, offset));
    return [addUp(sums, fold, recipe.gradientPrecision === 'bf16').map((sum) => sum / samples)];
  });
}

function addUp(partials: readonly Float32Array[], fold: ArrayLike<number>, isRounded: boolean): Float32Array {
  const stack: Float32Array[] = [];
  let next = 0;
  for (const instruction of Array.from(fold)) {
    if (instruction === foldStep.push) stack.push((partials[next++] as Float32Array).slice());
    else {
      const upper = stack.pop() as Float32Array;
      const lower = stack.at(-1) as Float32Array;
      for (let i = 0; i < lower.length; i++) lower[i] = (lower[i] as number) + (upper[i] as number);
      if (isRounded) roundToBf16(lower);
    }
  }
  return stack[0] as Float32Array;
}
