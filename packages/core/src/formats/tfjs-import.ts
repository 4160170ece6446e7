/**
 * Reads a LayersModel of TensorFlow.js as a Lockstep model with weights, layer by layer. What Lockstep exported comes back
 * as it was, by the notes it left; any other chain of layers that Lockstep has becomes a model of the same function.
 */

import { BATCH_NORM_EPS, inferChain, inferLayers, type Layer, type Shape } from '../model/layers.js';
import type { ModelState } from '../run/contribution.js';
import { type ModelSpec, type ModelSpecInput, parseModelSpec } from '../spec/model-spec.js';
import { fromTensorFlow, orderKernel } from './tensorflow-order.js';
import { fitState } from './tfjs-fit.js';
import { OLD_PIXELS_LAYER, PIXELS_LAYER, transpose } from './tfjs-model.js';
import { isAll, TfjsSource, type TfjsValues } from './tfjs-source.js';
import type { Topology, TopologyLayer } from './tfjs-topology.js';

type LayerInput = ModelSpecInput['layers'][number];

export interface ImportedModel {
  readonly model: ModelSpec;
  readonly state: ModelState;
}

/**
 * Translates topology and weights.
 *
 * @throws LockstepError LOCKSTEP_TFJS_LAYER for a layer that Lockstep does not have, naming it; LOCKSTEP_TFJS_FORMAT when
 *   a weight is missing; LOCKSTEP_MODEL_SPEC, LOCKSTEP_MODEL_SHAPE when the layers do not fit together
 */
export function importTfjsModel(topology: Topology, values: TfjsValues, path: string): ImportedModel {
  const reader = new Reader(topology, new TfjsSource(values, path));
  const walked = reader.read();
  if (topology.own?.model === undefined) return walked;
  const model = parseModelSpec(topology.own.model, path);
  return { model, state: fitState(walked, model, path) };
}

class Reader {
  readonly #layers: LayerInput[] = [];
  readonly #parameters: Float32Array[] = [];
  readonly #buffers: Float32Array[] = [];
  /** Of the tensor between two layers; a vector has height and width 1. */
  #shape: Shape = { channels: 0, height: 0, width: 0 };
  #isFlat = false;
  /** The image behind a vector that lists it [row][column][channel]: weights over it have to be reordered. */
  #rowsFirst: Shape | undefined;
  /** A Permute put the channels first, for the Flatten that must follow. */
  #isPermuted = false;
  #padding = 0;
  #input: Shape | undefined;

  constructor(
    private readonly topology: Topology,
    private readonly source: TfjsSource,
  ) {}

  read(): ImportedModel {
    for (const layer of this.topology.layers) {
      this.#takeInput(layer);
      if (!this.#input) throw this.source.formatError('does not say the shape of its input (batch_input_shape)');
      this.#readLayer(layer);
    }
    const input = this.#input;
    if (!input) throw this.source.formatError('has no layers');
    const classes = this.#shape.channels * this.#shape.height * this.#shape.width;
    const name = this.topology.name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64) || 'imported';
    const model = parseModelSpec({ name, input, classes, layers: this.#layers }, this.source.path);
    inferLayers(model);
    return { model, state: { parameters: this.#parameters, buffers: this.#buffers } };
  }

  #takeInput({ config }: TopologyLayer): void {
    const shape = config['batch_input_shape'];
    if (this.#input || !Array.isArray(shape)) return;
    const [height, width, channels] = shape.slice(1) as number[];
    if (shape.length !== 4 || ![height, width, channels].every(Number.isInteger)) {
      throw this.source.formatError(
        `takes input of shape ${JSON.stringify(shape)}, expected images [null, height, width, channels]`,
      );
    }
    this.#input = { channels: channels as number, height: height as number, width: width as number };
    this.#shape = this.#input;
  }

  #readLayer(layer: TopologyLayer): void {
    if (this.#isPermuted && layer.className !== 'Flatten')
      throw this.source.layerError(layer, 'a Permute is only read before a Flatten');
    if (this.#padding > 0 && !/Conv2D$/.test(layer.className))
      throw this.source.layerError(layer, 'padding is only read before a convolution');
    const { config } = layer;
    switch (layer.className) {
      case 'InputLayer':
        return;
      case 'Conv2D':
      case 'DepthwiseConv2D':
        this.#readConv(layer);
        return;
      case 'Dense':
        this.#readDense(layer);
        return;
      case 'BatchNormalization':
        if (!this.#isOfPixels(layer)) this.#readBatchNorm(layer);
        return;
      case 'ReLU':
        if ((config['max_value'] ?? null) !== null) throw this.source.layerError(layer, 'it has a largest value');
        this.#push(layer, { type: 'relu' });
        return;
      case 'Activation':
        this.#readActivation(layer, config['activation']);
        return;
      case 'Softmax':
        this.#readActivation(layer, 'softmax');
        return;
      case 'MaxPooling2D':
      case 'AveragePooling2D':
        this.#readPool(layer);
        return;
      case 'GlobalAveragePooling2D':
        this.#push(layer, { type: 'globalAvgPool' });
        return;
      case 'Dropout':
        this.#push(layer, { type: 'dropout', p: Number(config['rate']) });
        return;
      case 'ZeroPadding2D':
        this.#readPadding(layer);
        return;
      case 'Permute':
        if (JSON.stringify(config['dims']) !== '[3,1,2]')
          throw this.source.layerError(layer, 'only dims [3, 1, 2] are read');
        this.#isPermuted = true;
        return;
      case 'Flatten':
        this.#readFlatten(layer);
        return;
      case 'Reshape':
        this.#readReshape(layer);
        return;
      default:
        throw this.source.layerError(layer, 'Lockstep has no such layer');
    }
  }

  /** What normalizes pixels is told by the notes, so it is no layer of the model. */
  #isOfPixels(layer: TopologyLayer): boolean {
    const isOld = layer.name === OLD_PIXELS_LAYER && layer === this.topology.layers[0];
    return layer.name === PIXELS_LAYER || isOld;
  }

  /** Adds a layer under its own name, or the nearest that can be one and is free, and follows the shape. */
  #push(layer: TopologyLayer, spec: LayerInput, parameters: Float32Array[] = [], buffers: Float32Array[] = []): void {
    let name = /^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$/.test(layer.name)
      ? layer.name
      : layer.name.replace(/\W/g, '_') || '_';
    while (this.#layers.some((one) => one.name === name)) name += '_';
    this.#layers.push({ ...spec, name });
    this.#parameters.push(...parameters);
    this.#buffers.push(...buffers);
    this.#shape = this.#infer(layer, spec).output;
    if (spec.type === 'flatten' || spec.type === 'linear') this.#isFlat = true;
  }

  /** The next layer with its shapes. */
  #infer({ name }: TopologyLayer, spec: LayerInput): Layer {
    const before: LayerInput[] = this.#isFlat ? [{ type: 'flatten' }] : [];
    const part = { name: 'part', input: this.#shape, classes: 2, layers: [...before, spec] };
    return inferChain(parseModelSpec(part, `${this.source.path}: ${name}`)).at(-1) as Layer;
  }

  #readConv(layer: TopologyLayer): void {
    const { config } = layer;
    if (config['data_format'] === 'channels_first')
      throw this.source.layerError(layer, 'its images have the channels first');
    if (!isAll(config['dilation_rate'] ?? 1, 1)) throw this.source.layerError(layer, 'it is dilated');
    const kernel = this.source.readSide(layer, 'kernel_size');
    const stride = this.source.readSide(layer, 'strides', 1);
    const depthwise = layer.className === 'DepthwiseConv2D';
    const multiple = depthwise ? Number(config['depth_multiplier'] ?? 1) : 0;
    const outChannels = depthwise ? multiple * this.#shape.channels : Number(config['filters']);
    const padding = this.#padding + this.#samePadding(layer, kernel, stride);
    const groups = depthwise ? this.#shape.channels : 1;
    const bias = config['use_bias'] !== false;
    const spec = { type: 'conv', outChannels, kernel, stride, padding, groups, bias } as const;
    const order = orderKernel(this.#infer(layer, spec));
    const values = this.source.findWeight(layer, depthwise ? 'depthwise_kernel' : 'kernel', order.shape);
    this.#padding = 0;
    this.#push(layer, spec, [
      fromTensorFlow(values, order),
      ...(bias ? [this.source.findWeight(layer, 'bias', [outChannels])] : []),
    ]);
    this.#readActivation(layer, config['activation']);
  }

  /** TensorFlow pads unevenly when a stride or an even kernel leaves a rest; PyTorch cannot. */
  #samePadding(layer: TopologyLayer, kernel: number, stride: number): number {
    if (layer.config['padding'] !== 'same') return 0;
    if (this.#padding > 0) throw this.source.layerError(layer, 'it pads twice');
    if (stride !== 1 || kernel % 2 === 0)
      throw this.source.layerError(layer, `padding "same" with kernel ${kernel} and stride ${stride} is uneven`);
    return (kernel - 1) / 2;
  }

  #readDense(layer: TopologyLayer): void {
    const { config } = layer;
    if (!this.#isFlat) throw this.source.layerError(layer, 'its input is an image; put a Flatten before it');
    const outFeatures = Number(config['units']);
    const inFeatures = this.#shape.channels;
    const bias = config['use_bias'] !== false;
    const rows = this.source.findWeight(layer, 'kernel', [inFeatures, outFeatures]);
    const weight = transpose(this.#reorderRows(rows, outFeatures), inFeatures, outFeatures);
    this.#rowsFirst = undefined;
    this.#push(layer, { type: 'linear', outFeatures, bias }, [
      weight,
      ...(bias ? [this.source.findWeight(layer, 'bias', [outFeatures])] : []),
    ]);
    this.#readActivation(layer, config['activation']);
  }

  /** Rows that follow a flattened image [row][column][channel], put in order [channel][row][column]. */
  #reorderRows(values: Float32Array, columns: number): Float32Array {
    if (!this.#rowsFirst) return values;
    const { channels, height, width } = this.#rowsFirst;
    const out = new Float32Array(values.length);
    for (let pixel = 0; pixel < height * width; pixel++) {
      for (let c = 0; c < channels; c++) {
        const from = (pixel * channels + c) * columns;
        out.set(values.subarray(from, from + columns), (c * height * width + pixel) * columns);
      }
    }
    return out;
  }

  /** A batch norm without scale or centre has 1 and 0 there; another epsilon moves into the variance. */
  #readBatchNorm(layer: TopologyLayer): void {
    const { config } = layer;
    const { channels } = this.#shape;
    const axis = Array.isArray(config['axis']) ? config['axis'][0] : config['axis'];
    if (axis !== -1 && axis !== (this.#isFlat ? 1 : 3))
      throw this.source.layerError(layer, `it normalizes axis ${axis}, expected the channels`);
    const read = (what: string): Float32Array => this.#reorderRows(this.source.findWeight(layer, what, [channels]), 1);
    const gamma = config['scale'] === false ? new Float32Array(channels).fill(1) : read('gamma');
    const beta = config['center'] === false ? new Float32Array(channels) : read('beta');
    const excess = Number(config['epsilon'] ?? 1e-3) - BATCH_NORM_EPS;
    const variance = read('moving_variance').map((value) => (Math.abs(excess) < 1e-9 ? value : value + excess));
    this.#push(layer, { type: 'batchNorm' }, [gamma, beta], [read('moving_mean'), variance]);
  }

  #readActivation(layer: TopologyLayer, activation: unknown): void {
    const isOwn = /^(Activation|Softmax)$/.test(layer.className);
    const part = isOwn ? layer : { ...layer, name: `${layer.name}_${activation}` };
    if (activation === undefined || activation === null || activation === 'linear') return;
    // the loss is over logits, and log-softmax gives the same classes; it may only stand last
    const isEnd = activation === 'softmax' && layer === this.topology.layers.at(-1);
    if (activation === 'relu') this.#push(part, { type: 'relu' });
    else if (!isEnd)
      throw this.source.layerError(
        layer,
        `its activation is ${String(activation)}; relu can be read, and softmax at the end`,
      );
  }

  #readPool(layer: TopologyLayer): void {
    const kernel = this.source.readSide(layer, 'pool_size', 2);
    const stride = this.source.readSide(layer, 'strides', kernel);
    const { height, width } = this.#shape;
    const isEven = stride === kernel && height % kernel === 0 && width % kernel === 0;
    if (layer.config['padding'] === 'same' && !isEven)
      throw this.source.layerError(layer, 'padding "same" does not divide its input');
    this.#push(layer, { type: layer.className === 'MaxPooling2D' ? 'maxPool' : 'avgPool', kernel, stride });
  }

  #readPadding(layer: TopologyLayer): void {
    const sides = [layer.config['padding'] ?? 1].flat(2).map(Number);
    if (!isAll(sides, sides[0] as number)) throw this.source.layerError(layer, 'its sides are padded unevenly');
    this.#padding = sides[0] as number;
  }

  #readFlatten(layer: TopologyLayer): void {
    const { channels, height, width } = this.#shape;
    if (!this.#isFlat && !this.#isPermuted && channels > 1 && height * width > 1) this.#rowsFirst = this.#shape;
    this.#isPermuted = false;
    if (!this.#isFlat) this.#push(layer, { type: 'flatten' });
  }

  /** Only between [n] and [1, 1, n], which Lockstep does not tell apart, and at the start. */
  #readReshape(layer: TopologyLayer): void {
    const target = JSON.stringify(layer.config['target_shape']);
    const { channels, height, width } = this.#shape;
    const isSame = target === JSON.stringify([height, width, channels]);
    const isVector = height * width === 1 && target === JSON.stringify([channels]);
    if (!isSame && !isVector)
      throw this.source.layerError(layer, `it reshapes ${height}x${width}x${channels} to ${target}`);
    if (isVector && !this.#isFlat) this.#push(layer, { type: 'flatten' });
  }
}
