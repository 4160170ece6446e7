/** How far the two engines are apart: of a shard's contribution, and along the steps of a training. For tests. */
import { inferLayers } from '@lockstep/core/model';
import { initialBuffers, initialParameters, reduceCanonically } from '@lockstep/core/run';
import { type ModelSpec, type RecipeInput, recipeSchema } from '@lockstep/core/spec';
import { zooModels } from '@lockstep/core/zoo';
import { expect } from 'vitest';
import { jitterDigits } from '../native-engine/test-digits.js';
import { compareContributions, EngineRun } from './test-engines.js';

/** Of each tensor's largest magnitude. */
export const PARITY = 1e-4;

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] as number;

const findZoo = (name: string) => zooModels.find((entry) => entry.model.name === name) as (typeof zooModels)[number];

/** A run on jittered digits; weights and digits are a function of the seed. */
export async function prepare(model: ModelSpec, seed: number, samples: number, recipe: RecipeInput = {}) {
  const layers = inferLayers(model);
  const { images, labels, normalization } = await jitterDigits(samples, seed);
  const mean = [normalization.mean];
  const std = [normalization.std];
  return {
    model,
    recipe: recipeSchema.parse(recipe),
    state: { parameters: initialParameters(layers, seed), buffers: initialBuffers(layers) },
    data: { images, labels },
    samples,
    normalization: { mean, std },
  };
}

export async function worstDifference(model: ModelSpec, seed: number, samples: number, recipe: RecipeInput) {
  const options = await prepare(model, seed, samples, recipe);
  const call = { step: seed, epoch: seed % 3 };
  const native = new EngineRun('native', options);
  const [expected] = native.contribute(call);
  const [actual] = new EngineRun('tensorflow', options).contribute(call);
  const differences = compareContributions(native.layout, actual as Float32Array, expected as Float32Array);
  // nobody reads what a frozen batch norm contributes
  const compared = differences.filter(({ name }) => !recipe.freeze || !/^(statistics|n\.)/.test(name));
  return Math.max(...compared.map(({ difference }) => difference));
}

/**
 * The median over shards of 16 digits, each of a seed of its own, with dropout and augmentation on: a ReLU or a pool that
 * rounding decides is a real difference, and makes single shards differ.
 */
export async function medianDifference(name: string, shards: number): Promise<number> {
  const { model, recipe } = findZoo(name);
  const { augmentation } = recipe;
  const isPlain = augmentation.rotation === 0 && augmentation.shift === 0;
  const worst: number[] = [];
  for (let seed = 0; seed < shards; seed++) {
    const augmented = { augmentation: isPlain ? { rotation: 7, shift: 1 } : augmentation };
    worst.push(await worstDifference(model, seed, 16, augmented));
  }
  return median(worst);
}

const STEP_SAMPLES = 32;

/** One step of gradient descent on the parameters in the run's arena. */
function descend({ arena, layout }: EngineRun, contribution: Float32Array, rate: number): void {
  for (const region of layout.regions) {
    if (region.kind !== 'parameter') continue;
    for (let i = region.offset; i < region.offset + region.size; i++) {
      arena[i] = (arena[i] as number) - (rate * (contribution[i] as number)) / STEP_SAMPLES;
    }
  }
}

export interface Descent {
  readonly rate: number;
  /** Each engine goes on from its own result; else both from the native engine's. */
  readonly isFree: boolean;
}

/**
 * 100 steps of gradient descent on both engines, whose losses must be within 1e-3 of each other at each. With a batch norm
 * over 16 images rounding decides ReLUs, and any two float32 runs part (two native ones with weights that differ in the last
 * bit as well), the faster the higher the rate: at rates at which that takes longer than 100 steps they run freely, at those
 * that train well they are compared from the same parameters at every step.
 *
 * @returns the losses
 */
export async function trainBeside(name: string, { rate, isFree }: Descent): Promise<number[]> {
  const { model } = findZoo(name);
  const native = new EngineRun('native', await prepare(model, 4, STEP_SAMPLES));
  const ours = new EngineRun('tensorflow', await prepare(model, 4, STEP_SAMPLES));
  const losses: number[] = [];
  for (let step = 0; step < 100; step++) {
    const expected = reduceCanonically(native.contribute({ step }));
    const actual = reduceCanonically(ours.contribute({ step }));
    const at = native.layout.resultOffset;
    losses.push((expected[at] as number) / STEP_SAMPLES);
    const difference = Math.abs((actual[at] as number) - (expected[at] as number)) / STEP_SAMPLES;
    expect(difference, `step ${step}`).toBeLessThan(1e-3);
    descend(native, expected, rate);
    descend(ours, isFree ? actual : expected, rate);
  }
  return losses;
}
