/**
 * What a model looks like, layer by layer: shapes, parameters, multiply-adds, receptive field.
 * summary-table.ts turns this into text.
 */

import type { LayerSpec, ModelSpec } from '../spec/model-spec.js';
import { elementCount, inferLayers, type Layer, parameterCount, type Shape } from './layers.js';

/** A layer's window over its input, in pixels. */
export interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

/** One layer of a summary. */
export interface SummaryRow {
  /** Name for weights, e.g. `features.0`. */
  readonly name: string;
  /** PyTorch's class, e.g. `Conv2d`; for a functional layer its function, e.g. `F.relu`. */
  readonly type: string;
  /** Called as a function: not a module, and left out of torchsummary's tables and sizes. */
  readonly functional: boolean;
  /** Output for a batch, the batch as -1: [-1, channels, height, width], or [-1, features] once flat. */
  readonly outputShape: readonly number[];
  /** Output values of one image. */
  readonly outputSize: number;
  readonly parameters: number;
  /** Convolutions and pools only. */
  readonly window: Window | undefined;
  /** Multiplications that end in an addition, for one image, of convolutions and linear layers (without bias). */
  readonly multAdds: number;
  /** Side in pixels of the square of the input image that one output value depends on; padding counts, so it may be larger than the image. */
  readonly receptiveField: number;
}

export interface SummaryTotals {
  readonly parameters: number;
  readonly trainable: number;
  /** Always 0: running statistics are buffers, not parameters. */
  readonly nonTrainable: number;
  readonly multAdds: number;
  /** The sizes are in MB of 2^20 bytes for one image in float32, as torchsummary counts them. */
  readonly inputMegabytes: number;
  /** Outputs of all modules (not of functional layers), twice: once forward, once for the gradients. */
  readonly passMegabytes: number;
  readonly parametersMegabytes: number;
  readonly totalMegabytes: number;
  readonly receptiveField: number;
}

/**
 * Describes every layer in order.
 *
 * @throws LockstepError LOCKSTEP_MODEL_SHAPE when a layer does not fit its input
 */
export function summarize(model: ModelSpec): SummaryRow[] {
  let reach: Reach = { field: 1, jump: 1 };
  return inferLayers(model).map((layer) => {
    reach = extendReach(reach, layer);
    return describeLayer(layer, reach.field);
  });
}

/** The sums over a model's layers. Throws as `summarize` does. */
export function summarizeTotals(model: ModelSpec): SummaryTotals {
  const rows = summarize(model);
  const parameters = parameterCount(inferLayers(model));
  const outputSize = sum(rows.filter((row) => !row.functional).map((row) => row.outputSize));
  const inputMegabytes = megabytes(elementCount(model.input));
  const passMegabytes = megabytes(2 * outputSize);
  const parametersMegabytes = megabytes(parameters);
  return {
    parameters,
    trainable: parameters,
    nonTrainable: 0,
    multAdds: sum(rows.map((row) => row.multAdds)),
    inputMegabytes,
    passMegabytes,
    parametersMegabytes,
    totalMegabytes: inputMegabytes + passMegabytes + parametersMegabytes,
    receptiveField: rows.at(-1)?.receptiveField ?? 1,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const megabytes = (floatCount: number): number => (floatCount * 4) / 2 ** 20;

function describeLayer(layer: Layer, receptiveField: number): SummaryRow {
  const { spec, output, isFlat } = layer;
  const functional = spec.functional ?? false;
  return {
    name: layer.name,
    type: functional ? FUNCTION_NAMES[spec.type] : moduleName(spec, isFlat),
    functional,
    outputShape: isFlat ? [-1, output.channels] : [-1, output.channels, output.height, output.width],
    outputSize: elementCount(output),
    parameters: parameterCount([layer]),
    window: windowOf(spec),
    multAdds: countMultAdds(layer),
    receptiveField,
  };
}

const MODULE_NAMES: Record<LayerSpec['type'], string> = {
  conv: 'Conv2d',
  batchNorm: 'BatchNorm2d',
  relu: 'ReLU',
  maxPool: 'MaxPool2d',
  avgPool: 'AvgPool2d',
  globalAvgPool: 'AdaptiveAvgPool2d',
  dropout: 'Dropout',
  flatten: 'Flatten',
  linear: 'Linear',
  logSoftmax: 'LogSoftmax',
};

const FUNCTION_NAMES: Record<LayerSpec['type'], string> = {
  conv: 'F.conv2d',
  batchNorm: 'F.batch_norm',
  relu: 'F.relu',
  maxPool: 'F.max_pool2d',
  avgPool: 'F.avg_pool2d',
  globalAvgPool: 'F.adaptive_avg_pool2d',
  dropout: 'F.dropout',
  flatten: 'flatten',
  linear: 'F.linear',
  logSoftmax: 'F.log_softmax',
};

const moduleName = (spec: LayerSpec, isFlat: boolean): string =>
  spec.type === 'batchNorm' && isFlat ? 'BatchNorm1d' : MODULE_NAMES[spec.type];

function windowOf(spec: LayerSpec): Window | undefined {
  switch (spec.type) {
    case 'conv':
      return { kernel: spec.kernel, stride: spec.stride, padding: spec.padding };
    case 'maxPool':
    case 'avgPool':
      return { kernel: spec.kernel, stride: spec.stride ?? spec.kernel, padding: 0 };
    default:
      return undefined;
  }
}

/** Each weight is used once per output pixel (a linear layer has one), whatever the groups. */
function countMultAdds({ output, parameters }: Layer): number {
  const weight = parameters.find((parameter) => parameter.role === 'weight');
  return (weight?.size ?? 0) * output.height * output.width;
}

/** How far a value of some layer sees: its field in input pixels, and how many input pixels one step to its neighbour is. */
interface Reach {
  readonly field: number;
  readonly jump: number;
  /** The image that was flattened: a linear layer sees all of it, the layers before only pass single values on. */
  readonly flattened?: Shape;
}

function extendReach(reach: Reach, { spec, input }: Layer): Reach {
  const { field, jump, flattened } = reach;
  const window = windowOf(spec);
  if (window !== undefined) return { field: field + (window.kernel - 1) * jump, jump: jump * window.stride };
  if (spec.type === 'flatten') return { field, jump, flattened: flattened ?? input };
  if (spec.type !== 'linear' && spec.type !== 'globalAvgPool') return reach;
  const { height, width } = flattened ?? input;
  return { field: field + (Math.max(height, width) - 1) * jump, jump };
}
