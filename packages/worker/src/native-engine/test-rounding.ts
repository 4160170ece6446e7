/**
 * The float64 reference with the rounding of float32 in the places that any computation in float32 has: each value that
 * passes from layer to layer, forward and backward, and the few numbers per channel that a batch norm works with, are
 * moved by half a unit in the last place, up or down at random (Parker, "Monte Carlo Arithmetic", 1997). What comes out
 * departs from the reference by what must be granted to the most careful of kernels: a batch norm over one-pixel
 * channels, for one, cancels all but eps of the gradient of the weights before it, and leaves rounding.
 */
import { BATCH_NORM_EPS, type Layer } from '@lockstep/core/model';
import { type LayerContext, type LayerGradients, type LayerRun, runLayer } from '../reference/layer-run.js';
import { crossEntropy } from '../reference/loss.js';
import type { NetworkInput, NetworkResult, ShardStatistics } from '../reference/network.js';
import { addAt, at, forEachPlane, sumChannels, zeroShard } from '../reference/tensor.js';

/** Half a unit in the last place of float32, relative. */
const HALF_UNIT = 2 ** -24;

/**
 * How many times the error that one rounding per value between layers makes is allowed. Inside a layer each value is
 * rounded again with every addition of its chain; these errors add up as a random walk, and chains of drawn models are
 * up to 16^2 additions long.
 */
export const ROUNDINGS = 16;

/** A relative error of one rounding. */
type Rounding = () => number;

/** @param next the next of a sequence of numbers uniform in [0, 1) */
export function runRounded(network: NetworkInput, next: () => number): NetworkResult {
  const rounding: Rounding = () => (next() < 0.5 ? -HALF_UNIT : HALF_UNIT);
  const round = (values: Float64Array): Float64Array => values.map((v) => v * (1 + rounding()));
  const runs: LayerRun[] = [];
  const parameters = network.parameters.map(round).values();
  const buffers = network.buffers.values();
  let value = round(network.input);
  for (const layer of network.layers) {
    const context: LayerContext = {
      input: value,
      sampleCount: network.sampleCount,
      train: network.train,
      parameters: layer.parameters.map(() => parameters.next().value as Float64Array),
      buffers: layer.buffers.map(() => buffers.next().value as Float64Array),
      dropoutMask: network.dropoutMasks?.(layer.index),
      dropoutP: network.dropoutP,
    };
    const run = runRoundedLayer(layer, context, rounding);
    runs.push(run);
    value = round(run.out);
  }
  const { lossSum, correct, dLogits } = crossEntropy(value, network.labels, value.length / network.sampleCount);
  const gradients: Float64Array[] = [];
  let gradient = round(dLogits);
  for (const run of runs.toReversed()) {
    const { dInput, dParameters } = run.backward(gradient);
    gradients.unshift(...dParameters.map(round));
    gradient = round(dInput);
  }
  const batchNorm: ShardStatistics[] = runs.flatMap(({ statistics }, layerIndex) =>
    statistics ? [{ layerIndex, ...statistics }] : [],
  );
  return { logits: value, lossSum, correct, gradients, batchNorm, outputs: [], dInput: gradient };
}

function runRoundedLayer(layer: Layer, context: LayerContext, rounding: Rounding): LayerRun {
  const run = runLayer(layer, context);
  return layer.spec.type === 'batchNorm' ? roundBatchNorm(layer, context, run, rounding) : run;
}

/** y * times + plus, per channel. */
interface Affine {
  readonly times: number;
  readonly plus: number;
}

/**
 * A batch norm that computes out = y * scale + shift and dY = dOut * perG + y * perY + one with rounded coefficients,
 * its variance from the squares of y - running mean, and its sums with an error relative to the terms' magnitudes.
 */
function roundBatchNorm(layer: Layer, context: LayerContext, run: LayerRun, rounding: Rounding): LayerRun {
  const { input: y, sampleCount, parameters, buffers } = context;
  const { mean, variance } = run.statistics as { mean: Float64Array; variance: Float64Array };
  const [gamma, beta] = parameters as [Float64Array, Float64Array];
  const runningMean = buffers[0] as Float64Array;
  const count = sampleCount * layer.input.height * layer.input.width;
  const rstd = variance.map((v) => 1 / Math.sqrt(v + BATCH_NORM_EPS));

  // A lane's chain of additions runs over rows and columns. Where its terms are equal (a border), all round alike.
  const chain = Math.max(1, (layer.input.height * layer.input.width) / ROUNDINGS);
  /** Per channel, the rounding of a sum of term(i, channel). */
  const roundSum = (term: (i: number, c: number) => number): Float64Array => {
    const magnitudes = zeroShard(layer.input, sampleCount);
    forEachPlane(layer.input, sampleCount, (c, start, end) => {
      for (let i = start; i < end; i++) magnitudes[i] = Math.abs(term(i, c));
    });
    return sumChannels(layer.input, sampleCount, magnitudes).map((sum) => sum * chain * rounding());
  };
  const addMoves = (to: Float64Array, moves: readonly Affine[]): void =>
    forEachPlane(layer.input, sampleCount, (c, start, end) => {
      const { times, plus } = moves[c] as Affine;
      for (let i = start; i < end; i++) addAt(to, i, at(y, i) * times + plus);
    });

  const moveMean = roundSum((i, c) => (at(y, i) - at(runningMean, c)) / count);
  const moveVariance = roundSum((i, c) => (at(y, i) - at(runningMean, c)) ** 2 / count);
  /** Of 1 / sqrt(variance + eps), relative, by what the variance is off. */
  const moveRstd = moveVariance.map((v, c) => -0.5 * v * at(rstd, c) ** 2);
  const moveOut = Array.from(mean, (m, c): Affine => {
    const scale = at(gamma, c) * at(rstd, c);
    const moveShift = -at(moveMean, c) * scale - m * scale * at(moveRstd, c) + (at(beta, c) - m * scale) * rounding();
    return { times: scale * (at(moveRstd, c) + rounding()), plus: moveShift };
  });
  const out = run.out.slice();
  addMoves(out, moveOut);

  const backward = (dOut: Float64Array): LayerGradients => {
    const { dInput, dParameters } = run.backward(dOut);
    const [dGamma, dBeta] = dParameters as [Float64Array, Float64Array];
    const moveSum = roundSum((i, c) => at(dOut, i) * (at(y, i) - at(mean, c)) * at(rstd, c));
    const moveGamma = moveSum.map((v, c) => v + at(dGamma, c) * at(moveRstd, c));
    const moveBeta = roundSum((i) => at(dOut, i));
    const moves = Array.from(mean, (m, c): Affine => {
      const perG = at(gamma, c) * at(rstd, c);
      const perY = (-perG * at(rstd, c) * at(dGamma, c)) / count;
      const one = (-perG * at(dBeta, c)) / count - perY * m;
      const byGamma = (-perG * at(rstd, c) * at(moveGamma, c)) / count + perY * at(moveRstd, c);
      const byBeta = (-perG * at(moveBeta, c)) / count;
      return { times: byGamma + perY * rounding(), plus: byBeta - byGamma * m + one * rounding() };
    });
    addMoves(dInput, moves);
    const moved = [dGamma.map((v, c) => v + at(moveGamma, c)), dBeta.map((v, c) => v + at(moveBeta, c))];
    return { dInput, dParameters: moved };
  };
  const statistics = {
    mean: mean.map((m, c) => m + at(moveMean, c)),
    variance: variance.map((v, c) => v + at(moveVariance, c)),
  };
  return { out, backward, statistics };
}
