/** A whole network over one shard, forward and backward. */

import { assert } from '@lockstep/core/errors';
import type { Layer } from '@lockstep/core/model';
import { elementCount } from '@lockstep/core/model';
import type { LayerContext, LayerRun } from './layer-run.js';
import { runLayer } from './layer-run.js';
import { crossEntropy } from './loss.js';

export interface NetworkInput {
  readonly layers: readonly Layer[];
  /** In order of `modelParameters`, each in PyTorch's layout. */
  readonly parameters: readonly Float64Array[];
  /** Running mean and running variance of each batch norm, in order of the layers. Read in evaluation only. */
  readonly buffers: readonly Float64Array[];
  /** [sample][channel][row][column], normalised. */
  readonly input: Float64Array;
  readonly labels: Uint8Array;
  readonly sampleCount: number;
  /** Training: dropout, and batch norm with the shard's own statistics. Evaluation: neither, and no gradients. */
  readonly train: boolean;
  /** [sample][element], 1 = kept. Needed for every dropout layer with p > 0 in training. */
  readonly dropoutMasks?: (layerIndex: number) => Uint8Array | undefined;
  /** Overrides the p of every dropout layer, as a recipe may. */
  readonly dropoutP?: number | undefined;
  /** torch's label_smoothing. */
  readonly labelSmoothing?: number | undefined;
}

export interface ShardStatistics {
  readonly layerIndex: number;
  readonly mean: Float64Array;
  /** Biased. */
  readonly variance: Float64Array;
}

export interface NetworkResult {
  /** [sample][class]: what goes into the softmax, so without a last logSoftmax layer. */
  readonly logits: Float64Array;
  readonly lossSum: number;
  readonly correct: number;
  /** Summed over the samples, in order of `modelParameters`; empty in evaluation. */
  readonly gradients: Float64Array[];
  /** One per batch-norm layer; empty in evaluation. */
  readonly batchNorm: ShardStatistics[];
  /** Output of each layer, to find the one where a kernel departs. */
  readonly outputs: Float64Array[];
  /** Gradient of the input; empty in evaluation. */
  readonly dInput: Float64Array;
}

/** Contribution of one shard: gradients summed over its samples, batch-norm statistics, loss sum, correct count. */
export function runNetwork(network: NetworkInput): NetworkResult {
  checkSizes(network);
  const runs = runForward(network);
  const outputs = runs.map((run) => run.out);
  const logits = outputs.at(-1) ?? network.input;
  const classes = logits.length / network.sampleCount;
  const { lossSum, correct, dLogits } = crossEntropy(logits, network.labels, classes, network.labelSmoothing);
  const batchNorm = runs.flatMap(({ statistics }, layerIndex) => (statistics ? [{ layerIndex, ...statistics }] : []));
  const backward = network.train ? runBackward(runs, dLogits) : { dInput: new Float64Array(0), gradients: [] };
  return { logits, lossSum, correct, batchNorm, outputs, ...backward };
}

function runForward(network: NetworkInput): LayerRun[] {
  const runs: LayerRun[] = [];
  let input = network.input;
  let parameterIndex = 0;
  let bufferIndex = 0;
  for (const layer of network.layers) {
    const context: LayerContext = {
      input,
      sampleCount: network.sampleCount,
      train: network.train,
      parameters: network.parameters.slice(parameterIndex, parameterIndex + layer.parameters.length),
      buffers: network.buffers.slice(bufferIndex, bufferIndex + layer.buffers.length),
      dropoutMask: network.dropoutMasks?.(layer.index),
      dropoutP: network.dropoutP,
    };
    const run = runLayer(layer, context);
    runs.push(run);
    input = run.out;
    parameterIndex += layer.parameters.length;
    bufferIndex += layer.buffers.length;
  }
  return runs;
}

function runBackward(runs: readonly LayerRun[], dLogits: Float64Array) {
  let gradients: Float64Array[] = [];
  let dOut = dLogits;
  for (const run of runs.toReversed()) {
    const { dInput, dParameters } = run.backward(dOut);
    gradients = [...dParameters, ...gradients];
    dOut = dInput;
  }
  return { dInput: dOut, gradients };
}

function checkSizes({ layers, parameters, buffers, input, labels, sampleCount }: NetworkInput): void {
  const sizes = (tensors: readonly { readonly size: number }[]) => tensors.map((tensor) => tensor.size).join(' ');
  const lengths = (tensors: readonly Float64Array[]) => tensors.map((tensor) => tensor.length).join(' ');
  const check = (what: string, got: string | number, expected: string | number) =>
    assert(got === expected, () => `${what}: got sizes ${got}, the model needs ${expected}`);
  const first = layers[0];
  assert(first, () => 'a network without layers');
  check('input', input.length, sampleCount * elementCount(first.input));
  check('labels', labels.length, sampleCount);
  check('parameters', lengths(parameters), sizes(layers.flatMap((layer) => layer.parameters)));
  check('buffers', lengths(buffers), sizes(layers.flatMap((layer) => layer.buffers)));
}
