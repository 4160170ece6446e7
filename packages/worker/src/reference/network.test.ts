import type { Layer } from '@lockstep/core/model';
import { inferLayers } from '@lockstep/core/model';
import type { ModelSpecInput } from '@lockstep/core/spec';
import { parseModelSpec } from '@lockstep/core/spec';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differentiate, relativeError } from './finite-differences.js';
import type { NetworkInput, NetworkResult } from './network.js';
import { runNetwork } from './network.js';
import { maxPoolForward, poolGeometry } from './pool.js';
import { randomModel, randomShard } from './random-models.js';
import { drawRandomShard } from './random-shard.js';
import { uniforms } from './random-values.js';

/** Of the largest gradient of a tensor; batch norms of few values bend sharply, so a small step is taken. */
const TOLERANCE = 1e-6;
const STEP = 1e-5;

const layersOf = (spec: Omit<ModelSpecInput, 'name'>): Layer[] =>
  inferLayers(parseModelSpec({ name: 'test', ...spec }));

/** Which side every ReLU and max pool takes: where two runs differ in it, a kink of the loss lies between them. */
function choicesOf({ layers, sampleCount, input }: NetworkInput, { outputs }: NetworkResult): string {
  const choices = layers.map((layer, index) => {
    const layerInput = outputs[index - 1] ?? input;
    if (layer.spec.type === 'relu') return layerInput.map((value) => (value > 0 ? 1 : 0));
    if (layer.spec.type === 'maxPool') return maxPoolForward(poolGeometry(layer), sampleCount, layerInput).winners;
    return [];
  });
  return choices.join(';');
}

/** Derivative of the loss by one element, or undefined where a kink is too near for a difference. */
function differentiateLoss(network: NetworkInput, values: Float64Array, index: number): number | undefined {
  const before = choicesOf(network, runNetwork(network));
  let isSmooth = true;
  const measure = () => {
    const result = runNetwork(network);
    isSmooth &&= choicesOf(network, result) === before;
    return result.lossSum;
  };
  const derivative = differentiate(measure, values, index, STEP);
  return isSmooth ? derivative : undefined;
}

describe('a network of two linear layers, worked by hand', () => {
  const layers = layersOf({
    input: { channels: 1, height: 1, width: 2 },
    classes: 2,
    layers: [
      { type: 'flatten' },
      { type: 'linear', outFeatures: 2 },
      { type: 'relu' },
      { type: 'linear', outFeatures: 2 },
      { type: 'logSoftmax' },
    ],
  });
  const parameters = [
    [1, 1, 1, -1],
    [0, 0],
    [1, 0, 2, 5],
    [3, 0],
  ].map((values) => Float64Array.from(values));
  // Hidden 3 and -1, so 3 and 0 after ReLU; both logits 6.
  const network: NetworkInput = {
    layers,
    parameters,
    buffers: [],
    input: Float64Array.of(1, 2, 1, 2),
    labels: Uint8Array.of(0, 1),
    sampleCount: 2,
    train: true,
  };

  test('gives logits, loss and the first of two equal classes', () => {
    const { logits, lossSum, correct } = runNetwork(network);
    expect([...logits]).toEqual([6, 6, 6, 6]);
    expect(lossSum).toBeCloseTo(2 * Math.LN2, 14);
    expect(correct).toBe(1);
  });

  test('gives the gradients of one sample', () => {
    const one = { ...network, input: network.input.subarray(0, 2), labels: Uint8Array.of(0), sampleCount: 1 };
    const { gradients, dInput } = runNetwork(one);
    // dLogits -0.5 and 0.5; hidden gradients -0.5 * 1 + 0.5 * 2 and, cut off by ReLU, 0.
    expect(gradients.map((tensor) => [...tensor])).toEqual([
      [0.5, 1, 0, 0],
      [0.5, 0],
      [-1.5, 0, 1.5, 0],
      [-0.5, 0.5],
    ]);
    expect([...dInput]).toEqual([0.5, 0.5]);
  });

  test('sums gradients over the samples: two opposite ones cancel', () => {
    const sums = runNetwork(network).gradients.map((tensor) => tensor.reduce((sum, value) => sum + Math.abs(value), 0));
    expect(sums).toEqual([0, 0, 0, 0]);
  });

  test('gives no gradients in evaluation', () => {
    const { gradients, dInput, lossSum } = runNetwork({ ...network, train: false });
    expect([gradients.length, dInput.length]).toEqual([0, 0]);
    expect(lossSum).toBeCloseTo(2 * Math.LN2, 14);
  });
});

describe('batch norm and dropout', () => {
  const layers = layersOf({
    input: { channels: 2, height: 1, width: 1 },
    classes: 2,
    layers: [{ type: 'batchNorm' }, { type: 'dropout', p: 0.5 }],
  });
  const network: NetworkInput = {
    layers,
    parameters: [Float64Array.of(1, 2), Float64Array.of(0, 10)],
    buffers: [Float64Array.of(1, 2), Float64Array.of(4 - 1e-5, 9 - 1e-5)],
    input: Float64Array.of(3, 5, 5, 5),
    labels: Uint8Array.of(0, 0),
    sampleCount: 2,
    train: true,
    dropoutMasks: () => Uint8Array.of(1, 0, 1, 1),
  };

  test('use the shard and the mask in training', () => {
    const { outputs, batchNorm } = runNetwork(network);
    const r = 1 / Math.sqrt(1 + 1e-5);
    expect(batchNorm).toEqual([{ layerIndex: 0, mean: Float64Array.of(4, 5), variance: Float64Array.of(1, 0) }]);
    expect(outputs.map((out) => [...out])).toEqual([
      [-r, 10, r, 10],
      [-2 * r, 0, 2 * r, 20],
    ]);
  });

  test('use the running statistics and no mask in evaluation', () => {
    const { logits, batchNorm } = runNetwork({ ...network, train: false });
    expect(relativeError(logits, Float64Array.of(1, 12, 2, 12))).toBeLessThan(1e-14);
    expect(batchNorm).toEqual([]);
  });

  test('follow a recipe that overrides the probability of dropout', () => {
    const { dropoutMasks: _, ...withoutMasks } = network;
    const whole = runNetwork({ ...withoutMasks, dropoutP: 0 }).logits;
    expect(whole[1]).toBe(10);
    expect(runNetwork({ ...network, dropoutP: 0.75 }).logits[3]).toBe(40);
  });

  test('refuse to train with dropout and no mask', () => {
    const { dropoutMasks: _, ...withoutMasks } = network;
    expect(() => runNetwork(withoutMasks)).toThrow('layer 1: dropout of 0.5 in training without a mask');
  });

  test('refuse tensors of the wrong sizes and say which', () => {
    const parameters = [Float64Array.of(1, 2), Float64Array.of(0)];
    expect(() => runNetwork({ ...network, parameters })).toThrow('parameters: got sizes 2 1, the model needs 2 2');
    expect(() => runNetwork({ ...network, buffers: [] })).toThrow('buffers: got sizes , the model needs 2 2');
    expect(() => runNetwork({ ...network, sampleCount: 3 })).toThrow('input: got sizes 4, the model needs 6');
  });
});

test('gives the gradients that central differences of the loss give, for random networks', () => {
  let checked = 0;
  fc.assert(
    fc.property(randomModel, randomShard(3, 5), (model, draw) => {
      const network = drawRandomShard(inferLayers(model), draw);
      const { gradients, dInput } = runNetwork(network);
      const tensors = [...network.parameters, network.input];
      const next = uniforms(draw.seed);
      for (const [t, gradient] of [...gradients, dInput].entries()) {
        const values = tensors[t] ?? new Float64Array(0);
        const index = Math.floor(next() * values.length);
        const expected = differentiateLoss(network, values, index);
        if (expected === undefined) continue;
        checked++;
        const largest = gradient.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-2);
        expect(Math.abs((gradient[index] ?? Number.NaN) - expected) / largest).toBeLessThan(TOLERANCE);
      }
    }),
    { numRuns: 60 },
  );
  // A kink may be near now and then; if it were near everywhere the test would say nothing.
  expect(checked).toBeGreaterThan(100);
});

test('adds up over samples where no batch norm ties them together, for random networks', () => {
  const withoutBatchNorm = randomModel.filter((model) => model.layers.every((layer) => layer.type !== 'batchNorm'));
  fc.assert(
    fc.property(withoutBatchNorm, randomShard(2, 4), (model, draw) => {
      const network: NetworkInput = { ...drawRandomShard(inferLayers(model), draw), dropoutP: 0 };
      const whole = runNetwork(network);
      const sampleSize = network.input.length / draw.sampleCount;
      const parts = Array.from({ length: draw.sampleCount }, (_, i) =>
        runNetwork({
          ...network,
          input: network.input.subarray(i * sampleSize, (i + 1) * sampleSize),
          labels: network.labels.subarray(i, i + 1),
          sampleCount: 1,
        }),
      );
      expect(parts.reduce((sum, part) => sum + part.correct, 0)).toBe(whole.correct);
      for (const [t, gradient] of whole.gradients.entries()) {
        const sum = gradient.map((_, i) => parts.reduce((total, part) => total + (part.gradients[t]?.[i] ?? 0), 0));
        expect(relativeError(sum, gradient)).toBeLessThan(1e-10);
      }
    }),
    { numRuns: 40 },
  );
});
