/**
 * Batch norm as torch.nn.BatchNorm2d (Ioffe and Szegedy, arXiv:1502.03167): per channel,
 * out = gamma * normalized + beta, normalized = (input - mean) / sqrt(variance + eps).
 */
import type { Shape } from '@lockstep/core/model';
import { BATCH_NORM_EPS } from '@lockstep/core/model';
import { at, forEachPlane, sumChannels, zeroShard } from './tensor.js';

/** Per channel. */
export interface ChannelStatistics {
  readonly mean: Float64Array;
  /** Biased: divided by the number of values. */
  readonly variance: Float64Array;
}

/** Mean and biased variance of a shard, per channel, in two passes. */
export function measureChannels(shape: Shape, sampleCount: number, input: Float64Array): ChannelStatistics {
  const count = sampleCount * shape.height * shape.width;
  const mean = sumChannels(shape, sampleCount, input).map((sum) => sum / count);
  const squares = zeroShard(shape, sampleCount);
  forEachPlane(shape, sampleCount, (channel, start, end) => {
    for (let i = start; i < end; i++) squares[i] = (at(input, i) - at(mean, channel)) ** 2;
  });
  const variance = sumChannels(shape, sampleCount, squares).map((sum) => sum / count);
  return { mean, variance };
}

/** (input - mean) / sqrt(variance + eps): with a shard's own statistics in training, the running ones in evaluation. */
export function normalizeChannels(
  shape: Shape,
  sampleCount: number,
  input: Float64Array,
  { mean, variance }: ChannelStatistics,
): Float64Array {
  const normalized = zeroShard(shape, sampleCount);
  forEachPlane(shape, sampleCount, (channel, start, end) => {
    const deviation = Math.sqrt(at(variance, channel) + BATCH_NORM_EPS);
    for (let i = start; i < end; i++) normalized[i] = (at(input, i) - at(mean, channel)) / deviation;
  });
  return normalized;
}

/** gamma * normalized + beta. */
export function batchNormForward(
  shape: Shape,
  sampleCount: number,
  normalized: Float64Array,
  gamma: Float64Array,
  beta: Float64Array,
): Float64Array {
  const out = zeroShard(shape, sampleCount);
  forEachPlane(shape, sampleCount, (channel, start, end) => {
    for (let i = start; i < end; i++) out[i] = at(gamma, channel) * at(normalized, i) + at(beta, channel);
  });
  return out;
}

export interface BatchNormGradients {
  readonly dInput: Float64Array;
  readonly dGamma: Float64Array;
  readonly dBeta: Float64Array;
}

/** Backward in training, through the shard's own mean and `variance` (biased). */
export function batchNormBackward(
  shape: Shape,
  sampleCount: number,
  normalized: Float64Array,
  variance: Float64Array,
  gamma: Float64Array,
  dOut: Float64Array,
): BatchNormGradients {
  const count = sampleCount * shape.height * shape.width;
  const dBeta = sumChannels(shape, sampleCount, dOut);
  const dGamma = sumChannels(
    shape,
    sampleCount,
    dOut.map((d, i) => d * at(normalized, i)),
  );
  const dInput = zeroShard(shape, sampleCount);
  forEachPlane(shape, sampleCount, (channel, start, end) => {
    const scale = at(gamma, channel) / Math.sqrt(at(variance, channel) + BATCH_NORM_EPS);
    const meanDOut = at(dBeta, channel) / count;
    const meanProduct = at(dGamma, channel) / count;
    for (let i = start; i < end; i++) dInput[i] = scale * (at(dOut, i) - meanDOut - at(normalized, i) * meanProduct);
  });
  return { dInput, dGamma, dBeta };
}
