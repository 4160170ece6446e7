/** One layer over one shard: its forward pass, and its backward pass as a function of the gradient of its output. */

import { assert } from '@lockstep/core/errors';
import type { Layer } from '@lockstep/core/model';
import { elementCount } from '@lockstep/core/model';
import type { ChannelStatistics } from './batch-norm.js';
import { batchNormBackward, batchNormForward, measureChannels, normalizeChannels } from './batch-norm.js';
import { convForward, convGeometry, convInputGradient, convWeightGradient } from './conv.js';
import { linearForward, linearInputGradient, linearWeightGradient } from './linear.js';
import { applyDropout, reluBackward, reluForward } from './pointwise.js';
import * as pool from './pool.js';
import { sumChannels } from './tensor.js';

export interface LayerContext {
  readonly input: Float64Array;
  readonly sampleCount: number;
  readonly train: boolean;
  /** The layer's own, in order of `layer.parameters`. */
  readonly parameters: readonly Float64Array[];
  /** The layer's own: running mean, running variance. */
  readonly buffers: readonly Float64Array[];
  readonly dropoutMask: Uint8Array | undefined;
  readonly dropoutP: number | undefined;
}

export interface LayerGradients {
  readonly dInput: Float64Array;
  /** Summed over the samples, in order of `layer.parameters`. */
  readonly dParameters: Float64Array[];
}

export interface LayerRun {
  readonly out: Float64Array;
  /** Only in training. */
  readonly backward: (dOut: Float64Array) => LayerGradients;
  /** The shard's own, of a batch norm in training. */
  readonly statistics?: ChannelStatistics;
}

export function runLayer(layer: Layer, context: LayerContext): LayerRun {
  const { input, sampleCount } = context;
  switch (layer.spec.type) {
    case 'conv':
      return runConv(layer, context);
    case 'linear':
      return runLinear(layer, context);
    case 'batchNorm':
      return runBatchNorm(layer, context);
    case 'dropout':
      return runDropout(layer.spec.p, layer, context);
    case 'relu':
      return withoutParameters(reluForward(input), (dOut) => reluBackward(input, dOut));
    case 'maxPool': {
      const { out, winners } = pool.maxPoolForward(pool.poolGeometry(layer), sampleCount, input);
      return withoutParameters(out, (dOut) =>
        pool.maxPoolBackward(pool.poolGeometry(layer), sampleCount, winners, dOut),
      );
    }
    case 'avgPool':
      return withoutParameters(pool.avgPoolForward(pool.poolGeometry(layer), sampleCount, input), (dOut) =>
        pool.avgPoolBackward(pool.poolGeometry(layer), sampleCount, dOut),
      );
    case 'globalAvgPool':
      return withoutParameters(pool.globalAvgPoolForward(layer.input, sampleCount, input), (dOut) =>
        pool.globalAvgPoolBackward(layer.input, sampleCount, dOut),
      );
    // Row-major data is flat already; the loss applies log-softmax itself, and a second one changes nothing.
    case 'flatten':
    case 'logSoftmax':
      return withoutParameters(input, (dOut) => dOut);
  }
}

const withoutParameters = (out: Float64Array, inputGradient: (dOut: Float64Array) => Float64Array): LayerRun => ({
  out,
  backward: (dOut) => ({ dInput: inputGradient(dOut), dParameters: [] }),
});

function runConv(layer: Layer, { input, sampleCount, parameters }: LayerContext): LayerRun {
  const geometry = convGeometry(layer);
  const weight = tensor(layer, parameters, 0);
  const bias = parameters[1];
  return {
    out: convForward(geometry, sampleCount, input, weight, bias),
    backward: (dOut) => {
      const dWeight = convWeightGradient(geometry, sampleCount, input, dOut);
      const dBias = bias ? [sumChannels(layer.output, sampleCount, dOut)] : [];
      return { dInput: convInputGradient(geometry, sampleCount, weight, dOut), dParameters: [dWeight, ...dBias] };
    },
  };
}

function runLinear(layer: Layer, { input, sampleCount, parameters }: LayerContext): LayerRun {
  const size = { inFeatures: elementCount(layer.input), outFeatures: elementCount(layer.output) };
  const weight = tensor(layer, parameters, 0);
  const bias = parameters[1];
  return {
    out: linearForward(size, sampleCount, input, weight, bias),
    backward: (dOut) => {
      const dWeight = linearWeightGradient(size, sampleCount, input, dOut);
      const dBias = bias ? [sumChannels(layer.output, sampleCount, dOut)] : [];
      return { dInput: linearInputGradient(size, sampleCount, weight, dOut), dParameters: [dWeight, ...dBias] };
    },
  };
}

function runBatchNorm(layer: Layer, { input, sampleCount, train, parameters, buffers }: LayerContext): LayerRun {
  const shape = layer.input;
  const gamma = tensor(layer, parameters, 0);
  const beta = tensor(layer, parameters, 1);
  const statistics = train
    ? measureChannels(shape, sampleCount, input)
    : { mean: tensor(layer, buffers, 0), variance: tensor(layer, buffers, 1) };
  const normalized = normalizeChannels(shape, sampleCount, input, statistics);
  const out = batchNormForward(shape, sampleCount, normalized, gamma, beta);
  const backward = (dOut: Float64Array): LayerGradients => {
    assert(train, () => 'backward through the running statistics of a batch norm');
    const { dInput, dGamma, dBeta } = batchNormBackward(
      shape,
      sampleCount,
      normalized,
      statistics.variance,
      gamma,
      dOut,
    );
    return { dInput, dParameters: [dGamma, dBeta] };
  };
  return train ? { out, backward, statistics } : { out, backward };
}

function runDropout(layerP: number, layer: Layer, context: LayerContext): LayerRun {
  const p = context.dropoutP ?? layerP;
  if (!context.train || p === 0) return withoutParameters(context.input, (dOut) => dOut);
  const mask = context.dropoutMask;
  assert(mask, () => `layer ${layer.index}: dropout of ${p} in training without a mask`);
  return withoutParameters(applyDropout(context.input, mask, p), (dOut) => applyDropout(dOut, mask, p));
}

function tensor(layer: Layer, tensors: readonly Float64Array[], index: number): Float64Array {
  const found = tensors[index];
  assert(found, () => `layer ${layer.index} (${layer.spec.type}) has no tensor ${index}`);
  return found;
}
