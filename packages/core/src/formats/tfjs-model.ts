/**
 * A network as a LayersModel of TensorFlow.js: `model.json` (Keras's topology and a manifest) and `weights.bin` (float32,
 * one tensor after the other). tf.loadLayersModel reads it in Node and in browsers, with the layers of plain tfjs-layers.
 *
 * In: pixels 0 to 255, [batch, height, width, channels]. Out: logits [batch, classes]. The first layer normalizes.
 */

import type { DataNotes } from '../data/pixels/data-notes.js';
import { FULL_WHITE, normalizationFor } from '../data/pixels/pixels.js';
import { BATCH_NORM_EPS, BATCH_NORM_MOMENTUM, inferLayers, type Layer } from '../model/layers.js';
import type { ModelState } from '../run/contribution.js';
import type { ModelSpec } from '../spec/model-spec.js';
import { isDepthwise, orderKernel, toTensorFlow } from './tensorflow-order.js';

/** Name of the layer that turns pixels into the network's input. What is added has a hyphen, which no layer of a model has. */
export const PIXELS_LAYER = 'lockstep-pixels';
/** As it was called before; it is the first layer. */
export const OLD_PIXELS_LAYER = 'lockstep_pixels';
/** Key of what Lockstep needs to read its own export back, in `userDefinedMetadata`. */
export const TFJS_METADATA = 'lockstep';
/** Where the weights go if nothing else is said. */
const WEIGHTS_FILE = 'weights.bin';

export interface TfjsWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32';
}

export interface TfjsLayer {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface TfjsModel {
  readonly modelJson: {
    readonly format: 'layers-model';
    readonly generatedBy: string;
    readonly convertedBy: null;
    readonly modelTopology: {
      readonly class_name: 'Sequential';
      readonly config: { readonly name: string; readonly layers: readonly TfjsLayer[] };
      readonly keras_version: string;
      readonly backend: string;
    };
    readonly weightsManifest: readonly [{ readonly paths: readonly string[]; readonly weights: readonly TfjsWeight[] }];
    readonly userDefinedMetadata: Readonly<Record<string, unknown>>;
  };
  /** Contents of weights.bin: the tensors in the manifest's order, little-endian. */
  readonly weights: Float32Array;
}

/**
 * Translates a network.
 *
 * @param notes say how pixels are normalized
 * @param weightsFile name of the file that takes the weights, beside model.json
 */
export function encodeTfjsModel(
  model: ModelSpec,
  state: ModelState,
  notes: DataNotes,
  weightsFile: string = WEIGHTS_FILE,
): TfjsModel {
  const writer = new Writer();
  writer.addPixels(model, notes);
  const parameters = state.parameters.values();
  const buffers = state.buffers.values();
  for (const layer of inferLayers(model)) {
    const take = (values: Iterator<Float32Array>, count: number) =>
      Array.from({ length: count }, () => values.next().value as Float32Array);
    writer.addLayer(layer, take(parameters, layer.parameters.length), take(buffers, layer.buffers.length));
  }
  writer.flatten(`${PIXELS_LAYER}-logits`);
  return {
    modelJson: {
      format: 'layers-model',
      generatedBy: 'Lockstep',
      convertedBy: null,
      modelTopology: {
        class_name: 'Sequential',
        config: { name: model.name, layers: writer.layers },
        keras_version: 'tfjs-layers 4.22.0',
        backend: 'tensor_flow.js',
      },
      weightsManifest: [{ paths: [weightsFile], weights: writer.manifest }],
      userDefinedMetadata: { [TFJS_METADATA]: { model, notes } },
    },
    weights: concatenate(writer.values),
  };
}

class Writer {
  readonly layers: TfjsLayer[] = [];
  readonly manifest: TfjsWeight[] = [];
  readonly values: Float32Array[] = [];
  /** Whether what the last layer gives is [batch, features]. */
  #isFlat = false;
  #shape = { channels: 0, height: 0, width: 0 };

  #add(className: string, name: string, config: Readonly<Record<string, unknown>> = {}): void {
    this.layers.push({ class_name: className, config: { name, trainable: true, ...config } });
  }

  #addWeight(name: string, shape: readonly number[], values: Float32Array): void {
    this.manifest.push({ name, shape, dtype: 'float32' });
    this.values.push(values);
  }

  /** (v / 255 - mean) / std per channel, as a batch norm that was never trained: every version of tfjs has that layer. */
  addPixels({ input }: ModelSpec, notes: DataNotes): void {
    const { mean, std } = normalizationFor(notes, FULL_WHITE);
    const { channels, height, width } = input;
    const config = { axis: -1, momentum: 0.99, epsilon: 0, center: false, scale: false, trainable: false };
    this.#add('BatchNormalization', PIXELS_LAYER, { ...config, batch_input_shape: [null, height, width, channels] });
    this.#addWeight(
      `${PIXELS_LAYER}/moving_mean`,
      [channels],
      Float32Array.from(mean, (m) => 255 * m),
    );
    this.#addWeight(
      `${PIXELS_LAYER}/moving_variance`,
      [channels],
      Float32Array.from(std, (s) => (255 * s) ** 2),
    );
    this.#shape = input;
  }

  addLayer(layer: Layer, parameters: readonly Float32Array[], buffers: readonly Float32Array[]): void {
    const { spec, name } = layer;
    switch (spec.type) {
      case 'conv':
        this.#addConv(layer, parameters);
        break;
      case 'linear':
        this.#addDense(layer, parameters);
        break;
      case 'batchNorm':
        this.#addBatchNorm(name, parameters, buffers);
        break;
      case 'relu':
        this.#add('Activation', name, { activation: 'relu' });
        break;
      case 'maxPool':
      case 'avgPool':
        this.#addPool(
          spec.type === 'maxPool' ? 'MaxPooling2D' : 'AveragePooling2D',
          name,
          spec.kernel,
          spec.stride ?? spec.kernel,
        );
        break;
      case 'globalAvgPool':
        this.#add('GlobalAveragePooling2D', name, { data_format: 'channels_last' });
        this.#add('Reshape', `${name}-image`, { target_shape: [1, 1, layer.output.channels] });
        break;
      case 'dropout':
        this.#add('Dropout', name, { rate: spec.p, noise_shape: null, seed: null });
        break;
      case 'flatten':
        this.flatten(name);
        break;
      // logits are what leaves the network
      case 'logSoftmax':
        break;
    }
    this.#shape = layer.output;
  }

  #addPool(className: string, name: string, kernel: number, stride: number): void {
    const config = {
      pool_size: [kernel, kernel],
      strides: [stride, stride],
      padding: 'valid',
      data_format: 'channels_last',
    };
    this.#add(className, name, config);
  }

  /** To [batch, features] in PyTorch's order, channel by channel. */
  flatten(name: string): void {
    if (this.#isFlat) return;
    const { channels, height, width } = this.#shape;
    if (channels > 1 && height * width > 1) this.#add('Permute', `${name}-order`, { dims: [3, 1, 2] });
    this.#add('Flatten', name, {});
    this.#isFlat = true;
  }

  #addConv(layer: Layer, [weight, bias]: readonly Float32Array[]): void {
    if (layer.spec.type !== 'conv' || !weight) return;
    const { name, spec } = layer;
    const { kernel, stride, padding } = spec;
    const keepsSize = stride === 1 && 2 * padding === kernel - 1;
    if (padding > 0 && !keepsSize) {
      const side = [padding, padding];
      this.#add('ZeroPadding2D', `${name}-pad`, { padding: [side, side], data_format: 'channels_last' });
    }
    const config = {
      kernel_size: [kernel, kernel],
      strides: [stride, stride],
      padding: padding > 0 && keepsSize ? 'same' : 'valid',
      data_format: 'channels_last',
      dilation_rate: [1, 1],
      activation: 'linear',
      use_bias: bias !== undefined,
    };
    if (isDepthwise(layer)) {
      const order = orderKernel(layer);
      this.#add('DepthwiseConv2D', name, { ...config, depth_multiplier: order.shape[3] });
      this.#addWeight(`${name}/depthwise_kernel`, order.shape, toTensorFlow(weight, order));
    } else {
      const { shape, values } = widenKernel(layer, weight);
      this.#add('Conv2D', name, { ...config, filters: spec.outChannels });
      this.#addWeight(`${name}/kernel`, shape, values);
    }
    if (bias) this.#addWeight(`${name}/bias`, [bias.length], bias);
  }

  #addDense(layer: Layer, [weight, bias]: readonly Float32Array[]): void {
    if (layer.spec.type !== 'linear' || !weight) return;
    const { name, spec, input } = layer;
    this.flatten(`${name}-flat`);
    this.#add('Dense', name, { units: spec.outFeatures, activation: 'linear', use_bias: bias !== undefined });
    this.#addWeight(
      `${name}/kernel`,
      [input.channels, spec.outFeatures],
      transpose(weight, spec.outFeatures, input.channels),
    );
    if (bias) this.#addWeight(`${name}/bias`, [bias.length], bias);
  }

  #addBatchNorm(name: string, [gamma, beta]: readonly Float32Array[], [mean, variance]: readonly Float32Array[]): void {
    const config = { axis: -1, momentum: 1 - BATCH_NORM_MOMENTUM, epsilon: BATCH_NORM_EPS, center: true, scale: true };
    this.#add('BatchNormalization', name, config);
    for (const [what, values] of Object.entries({ gamma, beta, moving_mean: mean, moving_variance: variance })) {
      this.#addWeight(`${name}/${what}`, [(values as Float32Array).length], values as Float32Array);
    }
  }
}

/** A convolution's kernel [row, column, in, out]; groups, which tfjs-layers lacks, become zeros between them. */
function widenKernel(layer: Layer, weight: Float32Array): { shape: readonly number[]; values: Float32Array } {
  const order = orderKernel(layer);
  const grouped = toTensorFlow(weight, order);
  if (layer.spec.type !== 'conv' || layer.spec.groups === 1) return { shape: order.shape, values: grouped };
  const { kernel, groups, outChannels } = layer.spec;
  const { channels } = layer.input;
  const inside = channels / groups;
  const values = new Float32Array(kernel * kernel * channels * outChannels);
  grouped.forEach((value, i) => {
    const out = i % outChannels;
    const group = Math.floor(out / (outChannels / groups));
    const pixel = Math.floor(i / (outChannels * inside));
    const channel = group * inside + (Math.floor(i / outChannels) % inside);
    values[(pixel * channels + channel) * outChannels + out] = value;
  });
  return { shape: [kernel, kernel, channels, outChannels], values };
}

/** [rows][columns] to [columns][rows]. */
export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c] as number;
  }
  return out;
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
