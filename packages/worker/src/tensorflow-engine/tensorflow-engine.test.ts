import { inferLayers } from '@lockstep/core/model';
import { initialBuffers, initialParameters, listGradients, reduceCanonically } from '@lockstep/core/run';
import { type ModelSpec, parseModelSpec, type RecipeInput, recipeSchema } from '@lockstep/core/spec';
import { zooModels } from '@lockstep/core/zoo';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { randomModel } from '../reference/random-models.js';
import { describeTensorFlow } from './test-availability.js';
import { EngineRun, sharedTensorFlow } from './test-engines.js';
import { median, medianDifference, PARITY, prepare, trainBeside, worstDifference } from './test-parity.js';

const bytesOf = (values: Float32Array): Buffer => Buffer.from(Float32Array.from(values).buffer);

const small = (...layers: unknown[]): ModelSpec =>
  parseModelSpec({
    name: 'small',
    input: { channels: 1, height: 28, width: 28 },
    classes: 10,
    layers: [...layers, { type: 'flatten' }, { type: 'linear', outFeatures: 10 }],
  });

describeTensorFlow('the tensorflow engine', () => {
  // cnn11m: parity.slow.test.ts
  it.each(['tiny6k', 'net19k', 'gap19k', 'lenet5', 'mynet'])(
    '%s: contributions agree with the native engine, the median of nine shards, dropout and augmentation on',
    async (name) => {
      expect(await medianDifference(name, 9)).toBeLessThan(PARITY);
    },
  );

  it.each<[string, ModelSpec, RecipeInput, number]>([
    ['a short shard', small({ type: 'conv', outChannels: 4, kernel: 3 }, { type: 'batchNorm' }), {}, 11],
    ['smoothed labels', small({ type: 'conv', outChannels: 4, kernel: 3 }), { labelSmoothing: 0.1 }, 16],
    ['dropout of the recipe', small({ type: 'dropout', p: 0.5 }), { dropout: 0.25 }, 16],
    [
      'a frozen batch norm, which uses its running statistics',
      small({ type: 'conv', name: 'c', outChannels: 4, kernel: 3 }, { type: 'batchNorm', name: 'n' }, { type: 'relu' }),
      { freeze: ['n'] },
      16,
    ],
    [
      'groups',
      small({ type: 'conv', outChannels: 6, kernel: 1 }, { type: 'conv', outChannels: 4, kernel: 3, groups: 2 }),
      {},
      16,
    ],
    [
      'depthwise, two filters a channel',
      small(
        { type: 'conv', outChannels: 3, kernel: 3 },
        { type: 'conv', outChannels: 6, kernel: 3, groups: 3, padding: 1, stride: 2 },
      ),
      {},
      16,
    ],
    ['padding that keeps no size', small({ type: 'conv', outChannels: 3, kernel: 5, padding: 1, stride: 3 }), {}, 16],
    [
      'windows that overlap',
      small({ type: 'maxPool', kernel: 3, stride: 2 }, { type: 'avgPool', kernel: 2, stride: 1 }),
      {},
      16,
    ],
    [
      'batch norm of a vector',
      parseModelSpec({
        name: 's',
        input: { channels: 1, height: 28, width: 28 },
        classes: 10,
        layers: [{ type: 'flatten' }, { type: 'linear', outFeatures: 10 }, { type: 'batchNorm' }],
      }),
      {},
      16,
    ],
  ])('%s: contributions agree, the median of five shards', async (_, model, recipe, samples) => {
    const worst: number[] = [];
    for (let seed = 0; seed < 5; seed++) worst.push(await worstDifference(model, seed, samples, recipe));
    expect(median(worst), worst.map((value) => value.toExponential(1)).join(' ')).toBeLessThan(PARITY);
  });

  it('lenet5: along 100 training steps the losses of both engines are within 1e-3 of each other', async () => {
    const losses = await trainBeside('lenet5', { rate: 0.1, isFree: true });
    expect(losses[99]).toBeLessThan((losses[0] as number) / 2);
  });

  it('takes any model that the native engine takes, and leaves finite numbers', () => {
    fc.assert(
      fc.property(randomModel, fc.integer({ min: 0, max: 1000 }), (spec, seed) => {
        const model = parseModelSpec(spec);
        const layers = inferLayers(model);
        const { channels, height, width } = model.input;
        const images = Uint8Array.from({ length: 16 * channels * height * width }, (_, i) => (i * 37 + seed) % 256);
        const options = {
          model,
          recipe: recipeSchema.parse({}),
          state: { parameters: initialParameters(layers, seed), buffers: initialBuffers(layers) },
          data: { images, labels: new Uint8Array(16).map((_, i) => i % model.classes) },
          samples: 16,
          normalization: { mean: Array(channels).fill(0.5), std: Array(channels).fill(0.29) },
        };
        const [contribution] = new EngineRun('tensorflow', options).contribute();
        expect(contribution?.every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('leaves no tensor behind, whatever the shards', async () => {
    const { model } = zooModels.find((entry) => entry.model.name === 'net19k') as (typeof zooModels)[number];
    const run = new EngineRun('tensorflow', await prepare(model, 1, 45));
    run.contribute();
    run.evaluate(45);
    const before = sharedTensorFlow().memory().numTensors;
    for (let step = 0; step < 10; step++) {
      run.contribute({ step }, step % 3);
      run.evaluate(45);
    }
    expect(sharedTensorFlow().memory().numTensors).toBe(before);
  });

  it('adds shards in the canonical order: any ranges give the bits of the reduction by its definition', async () => {
    const model = small({ type: 'conv', outChannels: 2, kernel: 5 }, { type: 'relu' }, { type: 'maxPool', kernel: 4 });
    const run = new EngineRun('tensorflow', await prepare(model, 3, 16 * 6 + 5));
    const shards = Array.from({ length: 7 }, (_, shard) => run.contribute({}, shard, shard + 1)[0] as Float32Array);
    const [low, high, last] = run.contribute();
    expect(bytesOf(low as Float32Array)).toEqual(bytesOf(reduceCanonically(shards.slice(0, 4))));
    expect(bytesOf(high as Float32Array)).toEqual(bytesOf(reduceCanonically(shards.slice(4, 6))));
    expect(bytesOf(last as Float32Array)).toEqual(bytesOf(shards[6] as Float32Array));
    const [single, pair] = run.contribute({}, 1, 4);
    expect(bytesOf(single as Float32Array)).toEqual(bytesOf(shards[1] as Float32Array));
    expect(bytesOf(pair as Float32Array)).toEqual(bytesOf(reduceCanonically(shards.slice(2, 4))));
  });

  it('rounds the gradients of every partial to bf16 when the recipe says so', async () => {
    const model = small({ type: 'conv', outChannels: 2, kernel: 5 }, { type: 'batchNorm' }, { type: 'relu' });
    const options = await prepare(model, 3, 16 * 3 + 5);
    const run = new EngineRun('tensorflow', options);
    const shards = Array.from({ length: 4 }, (_, shard) => run.contribute({}, shard, shard + 1)[0] as Float32Array);
    const recipe = recipeSchema.parse({ ...options.recipe, gradientPrecision: 'bf16' });
    const [sum] = new EngineRun('tensorflow', { ...options, recipe }).contribute();
    expect(bytesOf(sum as Float32Array)).toEqual(bytesOf(reduceCanonically(shards, listGradients(run.layout))));
  });

  it('evaluates as the native engine does: logits, predictions, probabilities, losses of each shard', async () => {
    for (const name of ['tiny6k', 'gap19k', 'lenet5']) {
      const { model } = zooModels.find((entry) => entry.model.name === name) as (typeof zooModels)[number];
      const options = await prepare(model, 2, 40);
      const native = new EngineRun('native', options).evaluate(40);
      const ours = new EngineRun('tensorflow', options).evaluate(40);
      const far = (a: Float32Array, b: Float32Array): number =>
        a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);
      expect(far(ours.logits, native.logits), name).toBeLessThan(1e-5);
      expect(far(ours.results, native.results), name).toBeLessThan(1e-4);
    }
  });
});
