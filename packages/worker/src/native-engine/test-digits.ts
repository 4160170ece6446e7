/** Real digits with noise and PyTorch-like initial weights, for tests of the zoo's networks. */
import type { Dataset } from '@lockstep/core/data';
import { loadEmbedded } from '@lockstep/core/data/mnist';
import { inferLayers } from '@lockstep/core/model';
import { initialBuffers, initialParameters, type ModelState } from '@lockstep/core/run';
import { type ZooModel, zooModels } from '@lockstep/core/zoo';
import { uniforms } from '../reference/random-values.js';
import { compareStep } from './test-comparison.js';
import { withExactDropout } from './test-harness.js';

/** Pixels are raised by 0 to this much, so that no two backgrounds are alike: equal pixels tie in every pool. */
const JITTER = 15;

let embedded: Promise<Dataset> | undefined;

export interface Digits {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
  readonly normalization: { readonly mean: number; readonly std: number };
}

/** `count` digits of the embedded sample, which ones and their jitter a function of the seed. */
export async function jitterDigits(count: number, seed: number): Promise<Digits> {
  embedded ??= loadEmbedded();
  const { train, height, width, mean, std } = await embedded;
  const next = uniforms(seed);
  const first = Math.floor(next() * (train.count - count));
  const pixels = train.images.subarray(first * height * width, (first + count) * height * width);
  return {
    images: Uint8Array.from(pixels, (value) => Math.min(255, value + Math.floor(next() * (JITTER + 1)))),
    labels: train.labels.slice(first, first + count),
    normalization: { mean: mean[0] as number, std: std[0] as number },
  };
}

export function findZoo(name: string): ZooModel {
  const found = zooModels.find(({ model }) => model.name === name);
  if (!found) throw new Error(`the zoo has no ${name}`);
  return found;
}

/** Initial weights of a zoo model, a function of the seed. */
export function initialState(name: string, seed: number): ModelState {
  const layers = inferLayers(findZoo(name).model);
  return { parameters: initialParameters(layers, seed), buffers: initialBuffers(layers) };
}

export interface DigitsStep {
  readonly seed: number;
  readonly samples: number;
  readonly shardSize?: number;
  readonly isa?: string;
}

/** A step of a zoo model on digits, native against float64; dropout as the model has it. */
export async function compareOnDigits(name: string, { seed, samples, shardSize = 16, isa }: DigitsStep) {
  const digits = await jitterDigits(samples, seed);
  const model = withExactDropout(findZoo(name).model);
  const state = initialState(name, seed);
  return compareStep({ model, ...state, ...digits, samples, shardSize, ...(isa && { isa }) });
}
