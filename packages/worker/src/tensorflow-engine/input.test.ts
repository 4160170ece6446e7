/**
 * The native engine shows the bits of its input: under a dense layer of zeros for two classes each has probability 1/2,
 * so that the gradient of the first class's weights is half the input of the shard's one sample.
 */

import { inferLayers, type Shape } from '@lockstep/core/model';
import { type Augmentation, parseModelSpec, recipeSchema } from '@lockstep/core/spec';
import { describe, expect, it } from 'vitest';
import { randomImages } from '../reference/random-values.js';
import { drawMask } from './dropout-mask.js';
import { InputWriter } from './input.js';
import { EngineRun, type EngineRunOptions } from './test-engines.js';

const SEED = 9_007_199_254_740_881;
const SAMPLES = 20;
const normalization = { mean: [0.1307, 0.5], std: [0.3081, 0.29] };

const bytesOf = (values: Float32Array): Buffer => Buffer.from(Float32Array.from(values).buffer);

/** [channel][row][column] of what the native engine's dense layer reads for the image that stands first. */
function readNativeInput(
  shape: Shape,
  options: Partial<EngineRunOptions>,
  layers: unknown[],
  image: number,
  epoch = 0,
) {
  const model = parseModelSpec({
    name: 'probe',
    input: shape,
    classes: 2,
    layers: [{ type: 'flatten' }, ...layers, { type: 'linear', outFeatures: 2, bias: false }],
  });
  const size = shape.channels * shape.height * shape.width;
  const run = new EngineRun('native', {
    model,
    recipe: recipeSchema.parse({}),
    state: { parameters: [new Float32Array(2 * size)], buffers: [] },
    data: { images: randomImages(shape, SAMPLES, 5), labels: new Uint8Array(SAMPLES).fill(1) },
    samples: 1,
    order: Int32Array.of(image),
    normalization: {
      mean: normalization.mean.slice(0, shape.channels),
      std: normalization.std.slice(0, shape.channels),
    },
    seed: SEED,
    ...options,
  });
  const [contribution] = run.contribute({ epoch, step: 3 });
  return contribution?.slice(0, size).map((half) => 2 * half) as Float32Array;
}

/** From [row][column][channel] to [channel][row][column]. */
function toChannelsFirst(values: Float32Array, { channels, height, width }: Shape): Float32Array {
  const pixels = height * width;
  return Float32Array.from(values, (_, i) => values[(i % pixels) * channels + Math.floor(i / pixels)] as number);
}

describe('the inputs of a shard are those of the native engine, to the last bit', () => {
  it.each<[string, Partial<Augmentation>]>([
    ['no augmentation', {}],
    ['shifts', { shift: 3 }],
    ['rotation', { rotation: 7 }],
    ['rotation through every quarter', { rotation: 180 }],
    ['scale', { scale: 0.3 }],
    ['all of them', { rotation: 25, scale: 0.2, shift: 2 }],
    ['centre crop', { centerCrop: { size: 6, probability: 1 } }],
    ['centre crop of half of them', { rotation: 5, scale: 0.1, centerCrop: { size: 11, probability: 0.5 } }],
  ])('%s', (_, partial) => {
    const augmentation = { rotation: 0, shift: 0, scale: 0, ...partial };
    for (const shape of [
      { channels: 1, height: 28, width: 28 },
      { channels: 2, height: 7, width: 10 },
    ]) {
      const writer = new InputWriter({ shape, augmentation, normalization, seed: SEED });
      const data = { images: randomImages(shape, SAMPLES, 5), labels: new Uint8Array(SAMPLES) };
      for (const [image, epoch] of [
        [0, 0],
        [7, 0],
        [19, 4],
      ] as const) {
        const ours = toChannelsFirst(writer.writeAugmented(data, [image], epoch), shape);
        const recipe = recipeSchema.parse({ augmentation });
        const native = readNativeInput(shape, { recipe }, [], image, epoch);
        expect(bytesOf(ours).equals(bytesOf(native)), `${shape.width} wide, image ${image}, epoch ${epoch}`).toBe(true);
      }
    }
  });

  it.each([0.05, 0.1, 0.5, 0.9])('dropout of %d', (p) => {
    const shape = { channels: 1, height: 9, width: 11 };
    const probe = parseModelSpec({
      name: 'probe',
      input: shape,
      classes: 99,
      layers: [{ type: 'flatten' }, { type: 'dropout', p }],
    });
    const layer = inferLayers(probe)[1];
    const mask = drawMask(layer as never, p, { seed: SEED, step: 3, firstSample: 0, sampleCount: 1 });
    const plain = readNativeInput(shape, {}, [], 4);
    const dropped = readNativeInput(shape, {}, [{ type: 'dropout', p }], 4);
    const ours = plain.map((value, i) => value * (mask[i] as number));
    // -0 where a negative value is dropped
    expect(bytesOf(ours.map((v) => v + 0)).equals(bytesOf(dropped.map((v) => v + 0)))).toBe(true);
    expect(new Set(mask).size).toBe(2);
  });
});
