/** A model as TensorFlow operations: the forward pass of a shard, which tf.variableGrads differentiates. */

import { isDepthwise } from '@lockstep/core/formats';
import { BATCH_NORM_EPS, type Layer, type ParameterSpec } from '@lockstep/core/model';
import type { Freeze } from '@lockstep/core/run';
import type { Recipe } from '@lockstep/core/spec';
import type { Padding, Tensor, TensorFlow } from './tfjs-node.js';

/** A batch norm's own statistics of a shard, [channels] each; the variance is biased. */
export interface Moments {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** What a forward pass reads beside its input. */
export interface Pass {
  parameter(layer: Layer, role: ParameterSpec['role']): Tensor;
  runningMean(layer: Layer): Tensor;
  runningVariance(layer: Layer): Tensor;
}

/** What a training pass reads and leaves besides. */
export interface TrainingPass extends Pass {
  /** Factors of a dropout layer's elements, [sample, row, column, channel]; undefined where nothing is dropped. */
  mask(layer: Layer): Tensor | undefined;
  /** Takes the statistics of a batch norm. */
  keepMoments(layer: Layer, moments: Moments): void;
  readonly freeze: Freeze;
}

/** Images [sample, row, column, channel] to logits [sample, class]. `training` says how dropout and batch norm behave. */
export function runForward(
  tf: TensorFlow,
  layers: readonly Layer[],
  images: Tensor,
  pass: Pass,
  training?: TrainingPass,
): Tensor {
  const last = layers.reduce((x, layer) => runLayer(tf, layer, x, pass, training), images);
  return flatten(last);
}

function runLayer(tf: TensorFlow, layer: Layer, x: Tensor, pass: Pass, training: TrainingPass | undefined): Tensor {
  const { spec } = layer;
  switch (spec.type) {
    case 'conv':
      return addBias(runConv(tf, layer, x, pass.parameter(layer, 'weight')), layer, pass);
    case 'linear':
      return addBias(tf.matMul(flatten(x), pass.parameter(layer, 'weight'), false, true), layer, pass);
    case 'batchNorm':
      return training && !training.freeze.isLayerFrozen(layer)
        ? normalizeByShard(tf, layer, x, training)
        : normalizeByRunning(tf, layer, x, pass);
    case 'relu':
      return x.relu();
    case 'maxPool':
      return tf.maxPool(x, spec.kernel, spec.stride ?? spec.kernel, 'valid');
    case 'avgPool':
      return tf.avgPool(x, spec.kernel, spec.stride ?? spec.kernel, 'valid');
    case 'globalAvgPool':
      return x.mean([1, 2], true);
    case 'dropout': {
      const mask = training?.mask(layer);
      return mask ? x.mul(mask.reshape(x.shape)) : x;
    }
    case 'flatten':
      return flatten(x);
    // the loss applies log-softmax itself
    case 'logSoftmax':
      return x;
  }
}

/** Elements in PyTorch's order: channel, row, column. */
function flatten(x: Tensor): Tensor {
  if (x.shape.length === 2) return x;
  const [samples, height, width, channels] = x.shape as [number, number, number, number];
  const inOrder = height * width === 1 || channels === 1 ? x : x.transpose([0, 3, 1, 2]);
  return inOrder.reshape([samples, channels * height * width]);
}

const addBias = (x: Tensor, layer: Layer, pass: Pass): Tensor =>
  'bias' in layer.spec && layer.spec.bias ? x.add(pass.parameter(layer, 'bias')) : x;

function runConv(tf: TensorFlow, layer: Layer, x: Tensor, kernel: Tensor): Tensor {
  if (layer.spec.type !== 'conv') return x;
  const { stride, groups } = layer.spec;
  const { input, padding } = padImages(tf, layer.spec, x);
  if (isDepthwise(layer)) return tf.depthwiseConv2d(input, kernel, stride, padding);
  if (groups === 1) return tf.conv2d(input, kernel, stride, padding);
  const kernels = tf.split(kernel, groups, 3);
  const inputs = tf.split(input, groups, 3);
  return tf.concat(
    inputs.map((part, group) => tf.conv2d(part, kernels[group] as Tensor, stride, padding)),
    3,
  );
}

/** TensorFlow's own padding is PyTorch's only where it keeps the size: stride 1, an odd kernel, half of it on each side. */
function padImages(
  tf: TensorFlow,
  { kernel, stride, padding }: { kernel: number; stride: number; padding: number },
  x: Tensor,
): { readonly input: Tensor; readonly padding: Padding } {
  if (padding === 0) return { input: x, padding: 'valid' };
  if (stride === 1 && 2 * padding === kernel - 1) return { input: x, padding: 'same' };
  const side = [padding, padding] as const;
  return { input: tf.pad(x, [[0, 0], side, side, [0, 0]]), padding: 'valid' };
}

/** With the shard's own statistics, through which gradients flow. */
function normalizeByShard(tf: TensorFlow, layer: Layer, x: Tensor, pass: TrainingPass): Tensor {
  const mean = averageChannels(x);
  const centred = x.sub(mean);
  const variance = averageChannels(centred.mul(centred));
  pass.keepMoments(layer, { mean, variance });
  const scale = tf
    .rsqrt(variance.add(tf.tensor(Float32Array.of(BATCH_NORM_EPS), [])))
    .mul(pass.parameter(layer, 'gamma'));
  return centred.mul(scale).add(pass.parameter(layer, 'beta'));
}

/** Axis by axis: one long chain of float32 additions would lose two more digits than the rest of the network does. */
const averageChannels = (x: Tensor): Tensor =>
  x.shape.length === 2 ? x.mean([0], false) : x.mean([2], false).mean([1], false).mean([0], false);

function normalizeByRunning(tf: TensorFlow, layer: Layer, x: Tensor, pass: Pass): Tensor {
  const gamma = pass.parameter(layer, 'gamma');
  const beta = pass.parameter(layer, 'beta');
  return tf.batchNorm(x, pass.runningMean(layer), pass.runningVariance(layer), beta, gamma, BATCH_NORM_EPS);
}

/** The layer's probability, or the recipe's in its place. */
export const dropoutProbability = (layer: Layer, recipe: Recipe): number =>
  layer.spec.type === 'dropout' ? (recipe.dropout ?? layer.spec.p) : 0;

/** Whether a bias stands straight before a batch norm of the shard, which takes it out again: its gradient is exactly 0. */
export function hasNoEffect(layers: readonly Layer[], layer: Layer, freeze: Freeze): boolean {
  const next = layers[layer.index + 1];
  const takesMean = next?.spec.type === 'batchNorm' && !freeze.isLayerFrozen(next);
  return layer.spec.type === 'conv' && takesMean === true;
}
