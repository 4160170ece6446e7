/** A whole shard of noise for a model: what the tests of networks and of kernels run. */

import { assert } from '@lockstep/core/errors';
import type { Layer } from '@lockstep/core/model';
import { elementCount } from '@lockstep/core/model';
import type { PixelNormalization } from './augmentation.js';
import { normalizePixels } from './augmentation.js';
import type { NetworkInput } from './network.js';
import type { ShardDraw } from './random-models.js';
import { randomBuffers, randomDropoutMask, randomImages, randomLabels, randomParameters } from './random-values.js';

/** Takes pixel noise to about mean 0 and deviation 1. */
export const NOISE_NORMALIZATION: PixelNormalization = { mean: 0.5, std: 0.29 };

export interface RandomShard extends NetworkInput {
  /** The pixels that `input` is normalised from, [sample][channel][row][column]. */
  readonly images: Uint8Array;
}

/** A training shard, every number a function of the draw and exact in float32; masks for all dropout layers. */
export function drawRandomShard(layers: readonly Layer[], { seed, sampleCount }: ShardDraw): RandomShard {
  const [first, last] = [layers[0], layers.at(-1)];
  assert(first && last, () => 'a model without layers');
  const images = randomImages(first.input, sampleCount, seed);
  const dropoutMasks = (index: number): Uint8Array | undefined => {
    const layer = layers[index];
    return layer?.spec.type === 'dropout' ? randomDropoutMask(layer, sampleCount, layer.spec.p, seed) : undefined;
  };
  return {
    layers,
    parameters: randomParameters(layers, seed),
    buffers: randomBuffers(layers, seed),
    images,
    input: normalizePixels(images, NOISE_NORMALIZATION).map(Math.fround),
    labels: randomLabels(sampleCount, elementCount(last.output), seed),
    sampleCount,
    train: true,
    dropoutMasks,
  };
}
