/** The first layer's kernels as pictures: orange for positive weights, blue for negative ones, white for 0. */
import type { Layer, Shape } from '@lockstep/core/model';
import type { ModelState } from '@lockstep/core/run';
import type { FilterSheet } from './chronicle.js';
import { toDataUri } from './image-uri.js';

const MOST_FILTERS = 64;
/** Okabe and Ito's orange and blue, which people with any colour vision tell apart. */
const POSITIVE = [213, 94, 0] as const;
const NEGATIVE = [0, 114, 178] as const;

/** The pictures; undefined when the first layer with weights does not look at the image. */
export function drawFilters(
  layers: readonly Layer[],
  state: ModelState,
  moment: Pick<FilterSheet, 'epoch' | 'steps'>,
): FilterSheet | undefined {
  const layer = layers.find(({ parameters }) => parameters.some(({ role }) => role === 'weight'));
  const at = layers.flatMap(({ parameters }) => parameters).findIndex(({ role }) => role === 'weight');
  const weights = state.parameters[at];
  const shape = layer && shapeOfKernel(layer, layers[0]?.input);
  if (layer === undefined || shape === undefined || weights === undefined) return undefined;
  const size = shape.height * shape.width;
  const count = weights.length / (size * shape.channels);
  const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
  const images = Array.from({ length: Math.min(count, MOST_FILTERS) }, (_, index) =>
    drawKernel(weights.subarray(index * size * shape.channels, (index + 1) * size * shape.channels), shape, largest),
  );
  return { layer: layer.name, ...moment, count, largest, images };
}

/** A convolution's kernel is an image; a linear layer's row is one where it looks at the whole input. */
function shapeOfKernel({ spec, input }: Layer, image: Shape | undefined): Shape | undefined {
  if (spec.type === 'conv') return { channels: input.channels / spec.groups, height: spec.kernel, width: spec.kernel };
  if (image === undefined || spec.type !== 'linear') return undefined;
  return image.channels * image.height * image.width === input.channels * input.height * input.width
    ? image
    : undefined;
}

/** The mean over the channels. */
function drawKernel(weights: Float32Array, { channels, height, width }: Shape, largest: number): string {
  const size = height * width;
  const pixels = new Uint8Array(3 * size);
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += weights[channel * size + i] as number;
    const share = largest > 0 ? sum / channels / largest : 0;
    const color = share >= 0 ? POSITIVE : NEGATIVE;
    for (let c = 0; c < 3; c++) pixels[c * size + i] = 255 + ((color[c] as number) - 255) * Math.abs(share);
  }
  return toDataUri({ channels: 3, height, width }, pixels);
}
