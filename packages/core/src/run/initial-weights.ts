/** The parameters of a run at step 0: a function of model and seed, distributed as PyTorch's defaults. */

import { philox, purposes, toUniform } from '../math/random.js';
import { type Layer, modelParameters, type ParameterSpec } from '../model/layers.js';

/**
 * Initial parameters, one Float32Array for each of `modelParameters(layers)`. Weights and biases of convolutions and
 * linear layers are uniform in [-1/sqrt(fanIn), 1/sqrt(fanIn)) (PyTorch's kaiming_uniform_ with a = sqrt(5) comes to
 * that), batch norm's gamma is 1 and its beta 0. Element i takes word i mod 4 of the block at index floor(i / 4), in
 * the stream of the parameter's index; (2u - 1) * bound is computed in double and rounded once.
 */
export const initialParameters = (layers: readonly Layer[], seed: number): Float32Array[] =>
  modelParameters(layers).map((parameter, index) => initialValues(parameter, index, seed));

function initialValues(parameter: ParameterSpec, stream: number, seed: number): Float32Array {
  const values = new Float32Array(parameter.size);
  if (parameter.role === 'gamma') return values.fill(1);
  if (parameter.role === 'beta') return values;
  const bound = 1 / Math.sqrt(parameter.fanIn);
  const block = new Uint32Array(4);
  for (let element = 0; element < values.length; element++) {
    if (element % 4 === 0) philox(seed, purposes.initialWeights, stream, 0, element >>> 2, block);
    values[element] = (2 * toUniform(block[element & 3] as number) - 1) * bound;
  }
  return values;
}

/** Initial running statistics, one Float32Array per buffer in order of layers: mean 0, variance 1. */
export const initialBuffers = (layers: readonly Layer[]): Float32Array[] =>
  layers
    .flatMap((layer) => layer.buffers)
    .map((buffer) => new Float32Array(buffer.size).fill(buffer.role === 'runningVar' ? 1 : 0));
