import type { Layer } from '@lockstep/core/model';
import { elementCount, inferLayers } from '@lockstep/core/model';
import type { LayerSpec } from '@lockstep/core/spec';
import { parseModelSpec } from '@lockstep/core/spec';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LARGE_DENSE_WEIGHTS, randomModel, randomShard } from './random-models.js';
import {
  distinctValues,
  randomBuffers,
  randomDropoutMask,
  randomImages,
  randomLabels,
  randomParameters,
} from './random-values.js';

test('draws models that parse as they are and end in one value per class', () => {
  fc.assert(
    fc.property(randomModel, (model) => {
      expect(parseModelSpec(model)).toEqual(model);
      const last = inferLayers(model).at(-1);
      expect(last && elementCount(last.output)).toBe(model.classes);
    }),
    { numRuns: 1000 },
  );
});

test('draws every layer type and the unusual cases of each', () => {
  const cases: Record<string, (layer: LayerSpec) => boolean> = {
    batchNorm: (layer) => layer.type === 'batchNorm',
    relu: (layer) => layer.type === 'relu',
    dropout: (layer) => layer.type === 'dropout',
    flatten: (layer) => layer.type === 'flatten',
    globalAvgPool: (layer) => layer.type === 'globalAvgPool',
    logSoftmax: (layer) => layer.type === 'logSoftmax',
    'linear without bias': (layer) => layer.type === 'linear' && !layer.bias,
    'conv without bias': (layer) => layer.type === 'conv' && !layer.bias,
    'conv with stride': (layer) => layer.type === 'conv' && layer.stride > 1,
    'conv with padding': (layer) => layer.type === 'conv' && layer.padding > 0,
    'depthwise conv': (layer) => layer.type === 'conv' && layer.groups > 1 && layer.groups === layer.outChannels,
    'grouped conv': (layer) => layer.type === 'conv' && layer.groups > 1 && layer.groups < layer.outChannels,
    'overlapping max pool': (layer) => layer.type === 'maxPool' && (layer.stride ?? layer.kernel) < layer.kernel,
    'max pool with gaps': (layer) => layer.type === 'maxPool' && (layer.stride ?? layer.kernel) > layer.kernel,
    'overlapping average pool': (layer) => layer.type === 'avgPool' && (layer.stride ?? layer.kernel) < layer.kernel,
    'pool with default stride': (layer) => layer.type === 'avgPool' && layer.stride === undefined,
  };
  const drawn = fc.sample(randomModel, { numRuns: 1000, seed: 1 }).flatMap((model) => model.layers);
  const missing = Object.entries(cases).filter(([, matches]) => !drawn.some(matches));
  expect(missing.map(([name]) => name)).toEqual([]);
});

test('draws what stands behind what: flatten and linear in the body, norms behind them, large layers, pools of one pixel', () => {
  const covers = ({ spec, input }: Layer): boolean =>
    spec.type === 'conv' && spec.kernel === input.height && spec.kernel === input.width && spec.kernel > 1;
  const is = (layer: Layer | undefined, type: LayerSpec['type']): boolean => layer?.spec.type === type;
  const isLarge = (layer: Layer): boolean =>
    (covers(layer) || is(layer, 'linear')) && elementCount(layer.input) * layer.output.channels >= LARGE_DENSE_WEIGHTS;
  const cases: Record<string, (layer: Layer, before: readonly Layer[]) => boolean> = {
    'norm behind a flatten': (layer, before) => is(layer, 'batchNorm') && is(before.at(-1), 'flatten'),
    'norm behind flatten and relu': (layer, before) =>
      is(layer, 'batchNorm') && is(before.at(-1), 'relu') && is(before.at(-2), 'flatten'),
    'norm behind relu and flatten': (layer, before) =>
      is(layer, 'batchNorm') && is(before.at(-1), 'flatten') && is(before.at(-2), 'relu') && is(before.at(-3), 'conv'),
    'norm behind a linear': (layer, before) => is(layer, 'batchNorm') && is(before.at(-1), 'linear'),
    'norm behind a conv that covers the image': (layer, before) => {
      const source = before.at(-1);
      return is(layer, 'batchNorm') && source !== undefined && covers(source);
    },
    'dropout behind a flatten': (layer, before) => is(layer, 'dropout') && is(before.at(-1), 'flatten'),
    'dropout between a norm and a pool': (layer, before) =>
      is(layer, 'maxPool') && is(before.at(-1), 'dropout') && is(before.at(-2), 'batchNorm'),
    'linear behind a linear': (layer, before) => is(layer, 'linear') && is(before.at(-1), 'linear'),
    'conv behind a large conv': (layer, before) => is(layer, 'conv') && before.some(isLarge),
    'norm behind a large layer': (layer, before) => is(layer, 'batchNorm') && before.some(isLarge),
    'max pool of one pixel behind a large conv': ({ spec }, before) =>
      spec.type === 'maxPool' && spec.kernel === 1 && before.some(isLarge),
    'max pool of one pixel': ({ spec }) => spec.type === 'maxPool' && spec.kernel === 1,
  };
  const models = fc.sample(randomModel, { numRuns: 2000, seed: 1 }).map(inferLayers);
  const missing = Object.entries(cases).filter(
    ([, matches]) => !models.some((layers) => layers.some((layer, i) => matches(layer, layers.slice(0, i)))),
  );
  expect(missing.map(([name]) => name)).toEqual([]);
});

test('gives each model parameters, buffers, masks and labels of its sizes, the same for the same seed', () => {
  fc.assert(
    fc.property(randomModel, randomShard(1, 17), (model, { seed, sampleCount }) => {
      const layers = inferLayers(model);
      const specs = layers.flatMap((layer) => layer.parameters);
      const parameters = randomParameters(layers, seed);
      expect(parameters.map((tensor) => tensor.length)).toEqual(specs.map((spec) => spec.size));
      expect(parameters).toEqual(randomParameters(layers, seed));
      expect(parameters.every((tensor) => tensor.every((value) => Math.fround(value) === value))).toBe(true);
      const variances = randomBuffers(layers, seed).filter((_, index) => index % 2 === 1);
      expect(variances.every((tensor) => tensor.every((value) => value >= 0.5))).toBe(true);
      expect(randomLabels(sampleCount, model.classes, seed).every((label) => label < model.classes)).toBe(true);
      for (const layer of layers) {
        expect(randomDropoutMask(layer, sampleCount, 0.5, seed).length).toBe(sampleCount * elementCount(layer.output));
      }
    }),
    { numRuns: 50 },
  );
});

test('draws noise over the whole pixel range and masks of the wanted density', () => {
  const pixels = randomImages({ channels: 3, height: 40, width: 40 }, 4, 5);
  expect(new Set(pixels).size).toBe(256);
  const model = parseModelSpec({
    name: 'one',
    input: { channels: 10, height: 30, width: 30 },
    classes: 9000,
    layers: [{ type: 'dropout', p: 0.25 }],
  });
  for (const layer of inferLayers(model)) {
    const kept = randomDropoutMask(layer, 4, 0.25, 5).reduce((sum, bit) => sum + bit, 0);
    // 36,000 draws: the standard deviation of the share is 0.0023.
    expect(Math.abs(kept / 36_000 - 0.75)).toBeLessThan(0.012);
  }
});

test('spaces distinct values evenly and keeps them away from 0', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), (length, seed) => {
      const sorted = distinctValues(length, seed).toSorted();
      const gaps = sorted.slice(1).map((value, i) => value - (sorted[i] ?? 0));
      expect(Math.min(...gaps, 1)).toBeGreaterThan(0.99 * Math.min(1, 2 / length));
      expect(Math.min(...sorted.map(Math.abs))).toBeGreaterThan(0.99 / length);
    }),
  );
});
