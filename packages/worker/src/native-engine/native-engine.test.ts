import { type ModelSpec, parseModelSpec } from '@lockstep/core/spec';
import { availableIsas } from '@lockstep/kernels';
import { describe, expect, it } from 'vitest';
import { compareSeeds, describeErrors, median, TOLERANCE, worstError } from './test-comparison.js';
import { withExactDropout } from './test-harness.js';
import { compareNoise } from './test-noise.js';

const small = (layers: unknown[], input = { channels: 2, height: 7, width: 6 }, classes = 3): ModelSpec =>
  withExactDropout(parseModelSpec({ name: 'small', input, classes, layers }));

const head = [{ type: 'flatten' }, { type: 'linear', outFeatures: 3 }];

describe('native engine against float64, with the same bits on every build', () => {
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
      'wide linear: the wave stage',
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
  ])('%s', async (_, layers) => {
    for (const [sampleCount, shardSize] of [
      [16, 16],
      [13, 16],
      [32, 32],
      [25, 32],
      [45, 16],
    ] as const) {
      const runs = await compareSeeds([1, 2, 3], (seed) =>
        compareNoise({ model: small(layers), draw: { seed, sampleCount }, shardSize, isas: availableIsas() }),
      );
      expect(median(runs.map(worstError)), `${sampleCount}/${shardSize}: ${describeErrors(runs)}`).toBeLessThan(
        TOLERANCE,
      );
    }
  });
});
