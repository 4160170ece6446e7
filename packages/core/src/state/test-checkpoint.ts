/** A checkpoint of a small model with a value of its own in every place. */

import { inferLayers, modelParameters } from '../model/layers.js';
import { packState, planContribution } from '../run/contribution.js';
import { optimizerSlots } from '../run/optimizer.js';
import { parseModelSpec } from '../spec/model-spec.js';
import { type RecipeInput, recipeSchema } from '../spec/recipe.js';
import type { Checkpoint } from './checkpoint.js';

export const smallModel = parseModelSpec({
  name: 'small',
  input: { channels: 1, height: 6, width: 6 },
  classes: 3,
  layers: [
    { type: 'conv', name: 'conv1', outChannels: 2, kernel: 3 },
    { type: 'batchNorm' },
    { type: 'relu' },
    { type: 'flatten' },
    { type: 'linear', name: 'fc', outFeatures: 3 },
  ],
});

export function makeCheckpoint(step: number, recipeInput: RecipeInput = {}, model = smallModel): Checkpoint {
  const recipe = recipeSchema.parse(recipeInput);
  const layers = inferLayers(model);
  const layout = planContribution(layers);
  const fill = (size: number, start: number): Float32Array =>
    Float32Array.from({ length: size }, (_, i) => start + i / 7);
  const pack = (start: number, withBuffers: boolean): Float32Array => {
    const packed = new Float32Array(layout.length);
    const state = {
      parameters: modelParameters(layers).map(({ size }, i) => fill(size, start + 10 * i)),
      buffers: layers.flatMap((layer) => layer.buffers).map(({ size }, i) => fill(size, withBuffers ? start - i : 0)),
    };
    if (!withBuffers) for (const buffer of state.buffers) buffer.fill(0);
    packState(layout, state, packed);
    return packed;
  };
  const slots = Array.from({ length: optimizerSlots(recipe.optimizer) }, (_, slot) =>
    pack(1000 * (slot + 1) + step, false),
  );
  return {
    info: {
      step,
      seed: 2 ** 53 - 1,
      model,
      recipe,
      dataset: { source: 'made up', checksum: 'c'.repeat(64), trainSamples: 100, validationSamples: 7 },
      epochs: [],
      epochSeconds: 1.25,
    },
    snapshot: {
      step,
      state: pack(step, true),
      slots,
      ...(recipe.ema !== undefined && { average: pack(step + 0.5, true) }),
      results: Float32Array.of(0.1, 3, 0.7, 5),
    },
  };
}
