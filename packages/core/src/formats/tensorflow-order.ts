/** The order of a convolution's weight in TensorFlow: [row][column][in][out], depthwise [row][column][channel][multiple]. */
import { assert } from '../errors/errors.js';
import type { Layer } from '../model/layers.js';

export interface KernelOrder {
  /** TensorFlow's shape. In a grouped convolution that is not depthwise, `in` counts the channels of one group. */
  readonly shape: readonly [number, number, number, number];
  /** For each element in TensorFlow's order, where it stands in PyTorch's [out][in / groups][row][column]. */
  readonly source: Int32Array;
}

/** Whether each group of a convolution has one input channel: TensorFlow's depthwise convolution. */
export const isDepthwise = ({ spec, input }: Layer): boolean =>
  spec.type === 'conv' && spec.groups > 1 && spec.groups === input.channels;

/** Works out the order of a convolution's weight. */
export function orderKernel(layer: Layer): KernelOrder {
  const { spec, input } = layer;
  assert(spec.type === 'conv', () => `a ${spec.type} has no kernel`);
  const { kernel, groups, outChannels } = spec;
  const inside = input.channels / groups;
  const pixels = kernel * kernel;
  const source = new Int32Array(pixels * inside * outChannels);
  let at = 0;
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let i = 0; i < inside; i++) {
      for (let out = 0; out < outChannels; out++) source[at++] = (out * inside + i) * pixels + pixel;
    }
  }
  const shape = isDepthwise(layer)
    ? ([kernel, kernel, input.channels, outChannels / input.channels] as const)
    : ([kernel, kernel, inside, outChannels] as const);
  return { shape, source };
}

/** Reorders values from PyTorch's order to TensorFlow's. */
export const toTensorFlow = (values: Float32Array, { source }: Pick<KernelOrder, 'source'>): Float32Array =>
  Float32Array.from(source, (from) => values[from] as number);

/** Reorders values from TensorFlow's order to PyTorch's. */
export function fromTensorFlow(values: Float32Array, { source }: Pick<KernelOrder, 'source'>): Float32Array {
  const out = new Float32Array(values.length);
  for (let i = 0; i < source.length; i++) out[source[i] as number] = values[i] as number;
  return out;
}
