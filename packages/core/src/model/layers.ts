/**
 * Shape inference: from a model spec to layers with input and output shapes and
 * parameters. Everything later (summary, weights, the engines) reads these.
 */

import { LockstepError } from '../errors/errors.js';
import type { LayerSpec, ModelSpec } from '../spec/model-spec.js';
import { countOf } from '../text/count-text.js';

/** Shape of one sample: [channels, height, width]. After flatten: [features, 1, 1]. */
export interface Shape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** A learned tensor. */
export interface ParameterSpec {
  /** PyTorch's name in a state_dict, e.g. `conv1.weight`, `3.bias`. */
  readonly name: string;
  /** PyTorch's shape: conv weight [out, in/groups, k, k], linear weight [out, in], bias and batch-norm vectors [n]. */
  readonly shape: readonly number[];
  /** Number of elements. */
  readonly size: number;
  /** Inputs that feed one output: in/groups * k * k; bounds of PyTorch's default initial weights. 0 for batch norm. */
  readonly fanIn: number;
  readonly role: 'weight' | 'bias' | 'gamma' | 'beta';
}

/** A batch norm's running statistics: state that is not learned (PyTorch: buffers). */
export interface BufferSpec {
  /** e.g. `1.running_mean`. */
  readonly name: string;
  readonly size: number;
  readonly role: 'runningMean' | 'runningVar';
}

/** One layer with its shapes. */
export interface Layer {
  readonly spec: LayerSpec;
  /** Index in the spec, from 0. */
  readonly index: number;
  /** Name for weights: the spec's, or the index. */
  readonly name: string;
  readonly input: Shape;
  readonly output: Shape;
  /** Whether the output is a vector (after flatten or linear): shape [n] rather than [c, h, w]. */
  readonly isFlat: boolean;
  readonly parameters: readonly ParameterSpec[];
  readonly buffers: readonly BufferSpec[];
}

export const BATCH_NORM_EPS = 1e-5;
/** Weight of the new batch in the running statistics. */
export const BATCH_NORM_MOMENTUM = 0.1;

export const elementCount = (shape: Shape): number => shape.channels * shape.height * shape.width;

/**
 * Infers every layer's shapes and parameters, in order.
 *
 * @throws LockstepError LOCKSTEP_MODEL_SHAPE when a layer does not fit its input, naming layer, rule and shapes
 */
export function inferLayers(model: ModelSpec): Layer[] {
  const layers = inferChain(model);
  const { channels, height, width } = layers.at(-1)?.output ?? model.input;
  if (channels * height * width !== model.classes) {
    throw new LockstepError(
      'LOCKSTEP_MODEL_SHAPE',
      `${model.name}: the last layer gives ${channels}x${height}x${width}, expected ${countOf(model.classes, 'value')}, one per class`,
    );
  }
  return layers;
}

/** As `inferLayers`, for a part of a model too: what the last layer gives need not be the classes. */
export function inferChain(model: Omit<ModelSpec, 'classes'>): Layer[] {
  const layers: Layer[] = [];
  const names = new Set<string>();
  let shape: Shape = model.input;
  let isFlat = false;
  for (const [index, spec] of model.layers.entries()) {
    const fail = (text: string): never => {
      throw new LockstepError('LOCKSTEP_MODEL_SHAPE', `${model.name}: layer ${index + 1} (${spec.type}): ${text}`);
    };
    const name = spec.name ?? String(index);
    if (names.has(name)) fail(`the name "${name}" is taken by an earlier layer`);
    names.add(name);
    if (spec.type === 'logSoftmax' && index !== model.layers.length - 1) fail('may only be the last layer');
    const output = outputShape(spec, shape, isFlat, fail);
    isFlat ||= spec.type === 'flatten' || spec.type === 'linear';
    layers.push({
      spec,
      index,
      name,
      input: shape,
      output,
      isFlat,
      parameters: parametersOf(spec, name, shape),
      buffers: buffersOf(spec, name, shape),
    });
    shape = output;
  }
  return layers;
}

type Fail = (text: string) => never;

function outputShape(spec: LayerSpec, input: Shape, isFlat: boolean, fail: Fail): Shape {
  switch (spec.type) {
    case 'conv':
      if (isFlat) fail('needs an image, its input is flat');
      if (input.channels % spec.groups !== 0)
        fail(`${spec.groups} groups do not divide its ${countOf(input.channels, 'input channel')}`);
      if (spec.outChannels % spec.groups !== 0)
        fail(`${spec.groups} groups do not divide its ${countOf(spec.outChannels, 'output channel')}`);
      return window(input, spec.outChannels, spec.kernel, spec.stride, spec.padding, fail);
    case 'maxPool':
    case 'avgPool':
      if (isFlat) fail('needs an image, its input is flat');
      return window(input, input.channels, spec.kernel, spec.stride ?? spec.kernel, 0, fail);
    case 'globalAvgPool':
      if (isFlat) fail('needs an image, its input is flat');
      return { channels: input.channels, height: 1, width: 1 };
    case 'flatten':
      return { channels: elementCount(input), height: 1, width: 1 };
    case 'linear':
      if (!isFlat && (input.height > 1 || input.width > 1)) {
        fail(`needs flat input, got ${input.channels}x${input.height}x${input.width}: put a flatten before it`);
      }
      return { channels: spec.outFeatures, height: 1, width: 1 };
    default:
      return input;
  }
}

/** Output of a square window that slides over an image: floor((n + 2 padding - kernel) / stride) + 1 per side. */
function window(input: Shape, channels: number, kernel: number, stride: number, padding: number, fail: Fail): Shape {
  const side = (n: number): number => Math.floor((n + 2 * padding - kernel) / stride) + 1;
  if (kernel > Math.min(input.height, input.width) + 2 * padding) {
    const padded = padding > 0 ? ` padded by ${padding}` : '';
    fail(`kernel ${kernel} does not fit its ${input.height}x${input.width} input${padded}`);
  }
  return { channels, height: side(input.height), width: side(input.width) };
}

function parametersOf(spec: LayerSpec, name: string, input: Shape): ParameterSpec[] {
  const tensor = (role: ParameterSpec['role'], suffix: string, shape: number[], fanIn: number): ParameterSpec => ({
    name: `${name}.${suffix}`,
    shape,
    size: shape.reduce((a, b) => a * b, 1),
    fanIn,
    role,
  });
  switch (spec.type) {
    case 'conv': {
      const inChannels = input.channels / spec.groups;
      const fanIn = inChannels * spec.kernel * spec.kernel;
      const weight = tensor('weight', 'weight', [spec.outChannels, inChannels, spec.kernel, spec.kernel], fanIn);
      return spec.bias ? [weight, tensor('bias', 'bias', [spec.outChannels], fanIn)] : [weight];
    }
    case 'linear': {
      const weight = tensor('weight', 'weight', [spec.outFeatures, input.channels], input.channels);
      return spec.bias ? [weight, tensor('bias', 'bias', [spec.outFeatures], input.channels)] : [weight];
    }
    case 'batchNorm':
      return [tensor('gamma', 'weight', [input.channels], 0), tensor('beta', 'bias', [input.channels], 0)];
    default:
      return [];
  }
}

function buffersOf(spec: LayerSpec, name: string, input: Shape): BufferSpec[] {
  if (spec.type !== 'batchNorm') return [];
  return [
    { name: `${name}.running_mean`, size: input.channels, role: 'runningMean' },
    { name: `${name}.running_var`, size: input.channels, role: 'runningVar' },
  ];
}

/** Index of the head: the last convolution or dense layer; -1 if there is none. */
export const headIndex = (layers: readonly LayerSpec[]): number =>
  layers.findLastIndex(({ type }) => type === 'conv' || type === 'linear');

/** All parameters of a model, in order. */
export const modelParameters = (layers: readonly Layer[]): ParameterSpec[] =>
  layers.flatMap((layer) => layer.parameters);

/** Number of learned values. */
export const parameterCount = (layers: readonly Layer[]): number =>
  modelParameters(layers).reduce((sum, parameter) => sum + parameter.size, 0);
