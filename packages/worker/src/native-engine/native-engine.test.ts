import { elementCount, inferLayers, type ModelSpec, parseModelSpec, zooModels } from '@lockstep/core';
import { availableIsas } from '@lockstep/kernels';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runNetwork } from '../reference/network.js';
import { randomModel, randomShard } from '../reference/random-models.js';
import { drawRandomShard } from '../reference/random-shard.js';
import { dropoutMask, type NativeStep, prepareNativeStep, withExactDropout } from './test-harness.js';

/** Largest error of a tensor over its largest magnitude: float32 chains of up to a few thousand additions. */
const TOLERANCE = 5e-5;

/** Below this share of the network's largest gradient a tensor's own is taken for 0: a bias before a batch norm. */
const VANISHES = 1e-9;
/** The same for drawn models: a batch norm over one channel of one pixel cancels all but eps of what feeds it. */
const CANCELS = 1e-2;

interface Comparison {
  readonly name: string;
  readonly error: number;
}

/** Native against float64, every tensor of the contribution. */
function compare(
  model: ModelSpec,
  draw: { seed: number; sampleCount: number },
  shardSize: number,
  isa?: string,
  floor = VANISHES,
): Comparison[] {
  const layers = inferLayers(model);
  const shard = drawRandomShard(layers, draw);
  const masks = (index: number): Uint8Array | undefined => {
    const layer = layers[index];
    return layer?.spec.type === 'dropout'
      ? dropoutMask(layer, elementCount(layer.output), draw.sampleCount, layer.spec.p)
      : undefined;
  };
  const expected = runNetwork({ ...shard, dropoutMasks: masks });
  const step: NativeStep = {
    model,
    recipe: { shardSize, batchSize: shardSize },
    parameters: shard.parameters,
    buffers: shard.buffers,
    images: shard.images,
    labels: shard.labels,
    samples: draw.sampleCount,
    ...(isa && { isa }),
  };
  const run = prepareNativeStep(step);
  const parts = run.parts(run.contribute());
  const parameters = parts.filter(({ name }) => !/^(statistics|result)/.test(name));
  const result = parts.at(-1)?.values ?? new Float32Array(2);
  const scale = Math.max(...expected.gradients.map(largestOf));
  return [
    ...parameters.map(({ name, values }, i) => ({
      name,
      error: relativeError(values, expected.gradients[i] as Float64Array, scale, floor),
    })),
    { name: 'loss', error: Math.abs((result[0] as number) - expected.lossSum) / Math.max(1, expected.lossSum) },
  ];
}

const largestOf = (values: Float64Array): number =>
  values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);

/** Error over the tensor's largest magnitude, or over the network's for a tensor that vanishes beside it. */
function relativeError(actual: Float32Array, expected: Float64Array, scale: number, floor: number): number {
  const own = largestOf(expected);
  const largest = own > floor * scale ? own : Math.max(scale, 1e-3);
  const error = expected.reduce((most, value, i) => Math.max(most, Math.abs((actual[i] as number) - value)), 0);
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error / largest;
}

const worst = (comparisons: readonly Comparison[]): number => Math.max(...comparisons.map(({ error }) => error));

const small = (layers: unknown[], input = { channels: 2, height: 7, width: 6 }, classes = 3): ModelSpec =>
  withExactDropout(parseModelSpec({ name: 'small', input, classes, layers }));

const head = [{ type: 'flatten' }, { type: 'linear', outFeatures: 3 }];

describe.each(availableIsas())('native engine (%s) against float64', (isa) => {
  it.each<[string, unknown[]]>([
    ['linear', head],
    ['linear without bias', [{ type: 'flatten' }, { type: 'linear', outFeatures: 3, bias: false }]],
    [
      'linear, relu, dropout, linear',
      [
        { type: 'flatten' },
        { type: 'linear', outFeatures: 20 },
        { type: 'relu' },
        { type: 'dropout', p: 0.25 },
        { type: 'linear', outFeatures: 3 },
      ],
    ],
    [
      'wide linear: the group stage',
      [
        { type: 'flatten' },
        { type: 'linear', outFeatures: 300 },
        { type: 'relu' },
        { type: 'linear', outFeatures: 77 },
        { type: 'linear', outFeatures: 3 },
      ],
    ],
    ['conv 3x3', [{ type: 'conv', outChannels: 4, kernel: 3 }, ...head]],
    [
      'conv 3x3 padded, relu, conv 5x5',
      [
        { type: 'conv', outChannels: 5, kernel: 3, padding: 1 },
        { type: 'relu' },
        { type: 'conv', outChannels: 3, kernel: 5 },
        ...head,
      ],
    ],
    [
      'conv of stride 2 behind another',
      [
        { type: 'conv', outChannels: 3, kernel: 3, padding: 2 },
        { type: 'conv', outChannels: 4, kernel: 3, stride: 2, padding: 1 },
        ...head,
      ],
    ],
    [
      'depthwise behind another',
      [
        { type: 'conv', outChannels: 6, kernel: 1 },
        { type: 'conv', outChannels: 6, kernel: 3, groups: 6 },
        { type: 'conv', outChannels: 4, kernel: 1, groups: 2 },
        ...head,
      ],
    ],
    [
      'conv, batch norm, relu, max pool',
      [
        { type: 'conv', outChannels: 4, kernel: 3, padding: 1 },
        { type: 'batchNorm' },
        { type: 'relu' },
        { type: 'maxPool', kernel: 2 },
        ...head,
      ],
    ],
    [
      'conv, relu, batch norm, dropout',
      [
        { type: 'conv', outChannels: 4, kernel: 3, padding: 1 },
        { type: 'relu' },
        { type: 'batchNorm' },
        { type: 'dropout', p: 0.25 },
        ...head,
      ],
    ],
    [
      'dropout around a pool',
      [
        { type: 'conv', outChannels: 4, kernel: 3 },
        { type: 'relu' },
        { type: 'dropout', p: 0.25 },
        { type: 'maxPool', kernel: 2 },
        { type: 'dropout', p: 0.5 },
        ...head,
      ],
    ],
    [
      'overlapping max pool behind a conv',
      [
        { type: 'conv', outChannels: 4, kernel: 3 },
        { type: 'relu' },
        { type: 'maxPool', kernel: 2, stride: 1 },
        ...head,
      ],
    ],
    [
      'max pool with gaps',
      [{ type: 'conv', outChannels: 4, kernel: 1 }, { type: 'maxPool', kernel: 2, stride: 3 }, ...head],
    ],
    [
      'average pool',
      [
        { type: 'conv', outChannels: 4, kernel: 1 },
        { type: 'relu' },
        { type: 'avgPool', kernel: 3, stride: 2 },
        ...head,
      ],
    ],
    [
      'global average, conv 1x1, log-softmax',
      [
        { type: 'conv', outChannels: 4, kernel: 3 },
        { type: 'batchNorm' },
        { type: 'globalAvgPool' },
        { type: 'conv', outChannels: 3, kernel: 1 },
        { type: 'flatten' },
        { type: 'logSoftmax' },
      ],
    ],
    [
      'batch norm behind a flatten',
      [
        { type: 'conv', outChannels: 2, kernel: 3 },
        { type: 'flatten' },
        { type: 'batchNorm' },
        { type: 'relu' },
        { type: 'linear', outFeatures: 3 },
      ],
    ],
    ['batch norm on the image', [{ type: 'batchNorm' }, { type: 'relu' }, ...head]],
    ['relu twice', [{ type: 'conv', outChannels: 3, kernel: 3 }, { type: 'relu' }, { type: 'relu' }, ...head]],
  ])('%s', (_, layers) => {
    for (const [sampleCount, shardSize] of [
      [16, 16],
      [13, 16],
      [32, 32],
      [25, 32],
    ] as const) {
      const errors = [1, 2, 3].map((seed) => compare(small(layers), { seed, sampleCount }, shardSize, isa));
      // the median of three: a ReLU or a pool that rounding decides is a real difference
      const sorted = errors.map(worst).sort((a, b) => a - b);
      expect(sorted[1], JSON.stringify({ sampleCount, errors })).toBeLessThan(TOLERANCE);
    }
  });

  it('random models: the median of five shards', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(randomModel, randomShard(8, 32), (model, draw) => {
        const exact = withExactDropout(parseModelSpec(model));
        const shardSize = draw.sampleCount > 16 ? 32 : 16;
        const errors = [0, 1, 2, 3, 4].map((i) =>
          worst(compare(exact, { ...draw, seed: draw.seed + i }, shardSize, isa, CANCELS)),
        );
        errors.sort((a, b) => a - b);
        expect(errors[2]).toBeLessThan(TOLERANCE);
      }),
      { numRuns: isa === 'portable' ? 40 : 120 },
    );
  });
});

describe('native engine, zoo against float64', () => {
  it.each(zooModels.map((zoo) => zoo.model.name))(
    '%s: the median of three shards of noise',
    { timeout: 240_000 },
    (name) => {
      const zoo = zooModels.find(({ model }) => model.name === name) as (typeof zooModels)[number];
      const model = withExactDropout(zoo.model);
      const seeds = name === 'cnn11m' ? [1] : [1, 2, 3];
      const errors = seeds.map((seed) => worst(compare(model, { seed, sampleCount: 16 }, 16)));
      errors.sort((a, b) => a - b);
      expect(errors[Math.floor(errors.length / 2)]).toBeLessThan(TOLERANCE);
    },
  );
});
