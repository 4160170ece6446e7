import { inferLayers, type ModelSpec, parseModelSpec } from '@lockstep/core';
import { availableIsas } from '@lockstep/kernels';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomModel, randomShard, type ShardDraw } from '../reference/random-models.js';
import { drawRandomShard, NOISE_NORMALIZATION } from '../reference/random-shard.js';
import {
  compareStep,
  describeErrors,
  median,
  type TensorError,
  TOLERANCE,
  worstError,
  worstExcess,
} from './test-comparison.js';
import { withExactDropout } from './test-harness.js';

/** Native against float64 on a shard of noise. */
function compareNoise(
  model: ModelSpec,
  draw: ShardDraw,
  shardSize: number,
  isa: string,
  roundingSeeds: readonly number[] = [],
): TensorError[] {
  const { parameters, buffers, images, labels } = drawRandomShard(inferLayers(model), draw);
  const samples = draw.sampleCount;
  const normalization = NOISE_NORMALIZATION;
  return compareStep(
    { model, parameters, buffers, images, labels, samples, shardSize, normalization, isa },
    roundingSeeds,
  );
}

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
      [45, 16],
    ] as const) {
      const runs = [1, 2, 3].map((seed) => compareNoise(small(layers), { seed, sampleCount }, shardSize, isa));
      // the median of three: a ReLU or a pool that rounding decides is a real difference
      expect(median(runs.map(worstError)), `${sampleCount}/${shardSize}: ${describeErrors(runs)}`).toBeLessThan(
        TOLERANCE,
      );
    }
  });

  it('random models: the median of five shards, where rounding between layers may excuse an error', () => {
    fc.assert(
      fc.property(randomModel, randomShard(8, 32), (model, draw) => {
        const exact = withExactDropout(parseModelSpec(model));
        const shardSize = draw.sampleCount > 16 ? 32 : 16;
        const runs = [0, 1, 2, 3, 4].map((i) =>
          compareNoise(exact, { ...draw, seed: draw.seed + i }, shardSize, isa, [
            draw.seed,
            draw.seed + 1,
            draw.seed + 2,
          ]),
        );
        expect(median(runs.map(worstExcess)), describeErrors(runs)).toBeLessThan(1);
      }),
      { numRuns: isa === availableIsas()[0] ? 60 : 20 },
    );
  });
});
