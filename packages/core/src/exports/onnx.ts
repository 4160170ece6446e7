/**
 * A trained network as an ONNX model (opset 13) for evaluation: dropout is left out, batch norm takes its running
 * statistics. Pixels go in as they are in files; the normalization is part of the graph.
 *
 *     pixels [batch, channels, height, width], 0 to 255  ->  logits [batch, classes], probabilities [batch, classes]
 */

import type { DataNotes } from '../data/pixels/data-notes.js';
import { FULL_WHITE, normalizationFor } from '../data/pixels/pixels.js';
import { encodeFloats } from '../formats/weight-bytes.js';
import { BATCH_NORM_EPS, inferLayers, type Layer } from '../model/layers.js';
import type { ModelState } from '../run/contribution.js';
import type { ModelSpec } from '../spec/model-spec.js';
import {
  encodeOnnx,
  FLOAT,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from './onnx-schema.js';

const OPSET = 13;
/** The version of the file format that came with opset 13 and 14 (onnx 1.8). */
const IR_VERSION = 7;

/** The bytes of an .onnx file; class names and normalization are in its metadata too. */
export function exportOnnx(model: ModelSpec, state: ModelState, notes: DataNotes): Uint8Array {
  const graph = new Graph();
  const layers = inferLayers(model);
  const tensors = new LayerTensors(layers, state);
  let value = graph.normalize('pixels', notes);
  for (const layer of layers) value = graph.addLayer(value, layer, tensors);
  if (layers.at(-1)?.isFlat !== true) value = graph.node('Flatten', 'flat', [value], [integer('axis', 1)]);
  graph.rename(value, 'logits');
  graph.node('Softmax', 'probabilities', ['logits'], [integer('axis', 1)]);
  const { channels, height, width } = model.input;
  return encodeOnnx({
    ir_version: IR_VERSION,
    producer_name: 'lockstep',
    doc_string: model.description ?? '',
    opset_import: [{ domain: '', version: OPSET }],
    metadata_props: [
      { key: 'lockstep.model', value: JSON.stringify(model) },
      { key: 'classNames', value: JSON.stringify(notes.classNames) },
    ],
    graph: {
      name: model.name,
      node: graph.nodes,
      initializer: graph.initializers,
      input: [
        describeValue('pixels', [channels, height, width], 'pixels from 0 to 255; normalization is part of the model'),
      ],
      output: [
        describeValue('logits', [model.classes], 'one value per class'),
        describeValue('probabilities', [model.classes], 'softmax of the logits'),
      ],
    },
  });
}

const integer = (name: string, i: number): OnnxAttribute => ({ name, i, type: 2 });
const integers = (name: string, ints: readonly number[]): OnnxAttribute => ({ name, ints, type: 7 });
const float = (name: string, f: number): OnnxAttribute => ({ name, f, type: 1 });

function describeValue(name: string, sides: readonly number[], text: string): OnnxValue {
  const dim = [{ dim_param: 'batch' }, ...sides.map((side) => ({ dim_value: side }))];
  return { name, doc_string: text, type: { tensor_type: { elem_type: FLOAT, shape: { dim } } } };
}

/** Hands out the learned vectors of each layer. */
class LayerTensors {
  readonly #values = new Map<string, Float32Array>();

  constructor(layers: readonly Layer[], state: ModelState) {
    layers
      .flatMap((layer) => layer.parameters)
      .forEach(({ name }, index) => {
        this.#values.set(name, state.parameters[index] as Float32Array);
      });
    layers
      .flatMap((layer) => layer.buffers)
      .forEach(({ name }, index) => {
        this.#values.set(name, state.buffers[index] as Float32Array);
      });
  }

  /** Parameters, then buffers: weight and bias; gamma, beta, mean and variance. */
  of(layer: Layer): OnnxTensor[] {
    const specs = [...layer.parameters, ...layer.buffers.map((buffer) => ({ ...buffer, shape: [buffer.size] }))];
    return specs.map(({ name, shape }) => tensor(name, shape, this.#values.get(name) as Float32Array));
  }
}

function tensor(name: string, dims: readonly number[], values: Float32Array): OnnxTensor {
  return { name, dims, data_type: FLOAT, raw_data: encodeFloats(values) };
}

class Graph {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];

  /** Adds a node with one output, called after it; returns that name. */
  node(op_type: string, name: string, input: readonly string[], attribute: readonly OnnxAttribute[] = []): string {
    this.nodes.push({ op_type, name, input, output: [name], attribute });
    return name;
  }

  /** Gives the last node's output another name. */
  rename(value: string, name: string): void {
    const at = this.nodes.findIndex(({ output }) => output[0] === value);
    this.nodes[at] = { ...(this.nodes[at] as OnnxNode), output: [name] };
  }

  /** Pixel v becomes v * scale + shift, with the same two floats as in the kernels. */
  normalize(pixels: string, notes: DataNotes): string {
    const { mean, std } = normalizationFor(notes, FULL_WHITE);
    const dims = [1, mean.length, 1, 1];
    const scale = Float32Array.from(std, (s) => 1 / (255 * s));
    const shift = Float32Array.from(mean, (m, channel) => -m / (std[channel] as number));
    const scaled = this.node('Mul', 'input.scaled', [pixels, this.constant(tensor('input.scale', dims, scale))]);
    return this.node('Add', 'input.normalized', [scaled, this.constant(tensor('input.shift', dims, shift))]);
  }

  constant(value: OnnxTensor): string {
    this.initializers.push(value);
    return value.name;
  }

  /** Returns the name of the layer's output; a layer that does nothing in evaluation gives its input back. */
  addLayer(input: string, layer: Layer, tensors: LayerTensors): string {
    const { spec } = layer;
    const learned = tensors.of(layer).map((value) => this.constant(value));
    const name = `${layer.name}.${spec.type}`;
    switch (spec.type) {
      case 'conv': {
        const { kernel, stride, padding, groups } = spec;
        const attributes = [
          ...windowOf(kernel, stride),
          integers('pads', Array(4).fill(padding)),
          integer('group', groups),
        ];
        return this.node('Conv', name, [input, ...learned], attributes);
      }
      case 'batchNorm':
        return this.node('BatchNormalization', name, [input, ...learned], [float('epsilon', BATCH_NORM_EPS)]);
      case 'relu':
        return this.node('Relu', name, [input]);
      case 'maxPool':
        return this.node('MaxPool', name, [input], windowOf(spec.kernel, spec.stride ?? spec.kernel));
      case 'avgPool':
        return this.node('AveragePool', name, [input], windowOf(spec.kernel, spec.stride ?? spec.kernel));
      case 'globalAvgPool':
        return this.node('GlobalAveragePool', name, [input]);
      case 'flatten':
        return this.node('Flatten', name, [input], [integer('axis', 1)]);
      case 'linear': {
        // A linear layer may follow an image of one pixel; flattening what is flat changes nothing.
        const flat = this.node('Flatten', `${name}.input`, [input], [integer('axis', 1)]);
        return this.node('Gemm', name, [flat, ...learned], [integer('transB', 1)]);
      }
      default:
        // dropout; log-softmax, since logits are what goes out
        return input;
    }
  }
}

const windowOf = (kernel: number, stride: number): OnnxAttribute[] => [
  integers('kernel_shape', [kernel, kernel]),
  integers('strides', [stride, stride]),
];
