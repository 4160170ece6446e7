/** What a run begins with. */
import type { Layer } from '@lockstep/core/model';
import {
  type ContributionLayout,
  initialBuffers,
  initialParameters,
  type ModelState,
  optimizerSlots,
  packState,
} from '@lockstep/core/run';
import type { NodeSnapshot } from '@lockstep/core/seams';
import type { Recipe } from '@lockstep/core/spec';

/** The state that a seed gives. */
export const seedState = (layers: readonly Layer[], seed: number): ModelState => ({
  parameters: initialParameters(layers, seed),
  buffers: initialBuffers(layers),
});

/** A state as one vector, in the contribution's layout. */
export function packInitial(layout: ContributionLayout, state: ModelState): Float32Array {
  const packed = new Float32Array(layout.length);
  packState(layout, state, packed);
  return packed;
}

/** Before the first step of a run that begins with a state: the slots are zero, the moving average is the state. */
export function initialSnapshot(state: Float32Array, recipe: Recipe): NodeSnapshot {
  const slots = Array.from({ length: optimizerSlots(recipe.optimizer) }, () => new Float32Array(state.length));
  return { step: 0, state, slots, ...(recipe.ema !== undefined && { average: state }), results: new Float32Array(0) };
}
