/** The state of a LayersModel that Lockstep wrote, in the form of the model that it wrote it from. */

import { LockstepError } from '../errors/errors.js';
import { inferLayers, type Layer } from '../model/layers.js';
import type { ModelState } from '../run/contribution.js';
import type { ModelSpec } from '../spec/model-spec.js';
import { countOf } from '../text/count-text.js';

/** Brings the state of the layers that were read to those of the model that was written: groups were widened. */
export function fitState(
  { model: walked, state }: { model: ModelSpec; state: ModelState },
  model: ModelSpec,
  path: string,
): ModelState {
  const given = inferLayers(walked).filter((layer) => layer.parameters.length > 0);
  const wanted = inferLayers(model).filter((layer) => layer.parameters.length > 0);
  const parameters = state.parameters.values();
  const fitted = wanted.flatMap((layer, i) => {
    const values = (given[i]?.parameters ?? []).map(() => parameters.next().value as Float32Array);
    return layer.parameters.map(({ size, name }, k) => {
      const found = k === 0 ? narrowKernel(layer, given[i], values[k]) : values[k];
      if (found?.length === size) return found;
      throw new LockstepError(
        'LOCKSTEP_TFJS_FORMAT',
        `${path} has no ${name} of ${countOf(size, 'value')}, although its notes name the model ${model.name}.`,
      );
    });
  });
  return { parameters: fitted, buffers: state.buffers };
}

/** The blocks of a grouped convolution out of a whole kernel, both in PyTorch's order. */
function narrowKernel(
  wanted: Layer,
  given: Layer | undefined,
  values: Float32Array | undefined,
): Float32Array | undefined {
  if (wanted.spec.type !== 'conv' || given?.spec.type !== 'conv' || !values || wanted.spec.groups === given.spec.groups)
    return values;
  const { groups, outChannels, kernel } = wanted.spec;
  const all = wanted.input.channels;
  const inside = all / groups;
  const pixels = kernel * kernel;
  const out = new Float32Array(outChannels * inside * pixels);
  for (let o = 0; o < outChannels; o++) {
    const first = Math.floor(o / (outChannels / groups)) * inside;
    out.set(values.subarray((o * all + first) * pixels, (o * all + first + inside) * pixels), o * inside * pixels);
  }
  return out;
}
