/** Real digits with noise, for tests of whole networks. */
import { type Dataset, loadEmbedded } from '@lockstep/core';
import { uniforms } from '../reference/random-values.js';

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
