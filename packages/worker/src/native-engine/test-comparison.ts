/**
 * Compares a step of the native engine with the float64 reference, tensor by tensor of the contribution, and measures
 * how far float32 can be expected to depart: the reference again, with float32's rounding of what passes from layer to
 * layer.
 */
import { elementCount, inferLayers, type Layer } from '@lockstep/core/model';
import { shardCount } from '@lockstep/core/run';
import type { ModelSpec } from '@lockstep/core/spec';
import { normalizePixels } from '../reference/augmentation.js';
import { type NetworkInput, type NetworkResult, runNetwork } from '../reference/network.js';
import { uniforms } from '../reference/random-values.js';
import { bytesOf, dropoutMask, type NativeRun, prepareNativeStep } from './test-harness.js';
import { ROUNDINGS, runRounded } from './test-rounding.js';

/** Largest error of a tensor over its largest magnitude: float32 chains of up to a few thousand additions. */
export const TOLERANCE = 5e-5;

/** Below this share of the network's largest gradient a tensor's own is taken for 0: a bias before a batch norm. */
const VANISHES = 1e-9;

type Vector = Float32Array | Float64Array;

/** A step without augmentation, image i at position i; dropout as the model has it. */
export interface ComparedStep {
  readonly model: ModelSpec;
  readonly parameters: readonly Vector[];
  readonly buffers: readonly Vector[];
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
  readonly samples: number;
  readonly shardSize: number;
  /** One for all channels. */
  readonly normalization: { readonly mean: number; readonly std: number };
  /** Builds of the kernels; the first is compared, the others have to give its bits. Default: the best one. */
  readonly isas?: readonly string[];
  readonly labelSmoothing?: number;
}

/** Errors of one tensor over its largest magnitude. */
export interface TensorError {
  readonly name: string;
  readonly error: number;
  /** Of the rounded reference; 0 if none was asked for. */
  readonly roundingError: number;
}

/** A contribution as tensors in the order of its layout; statistics are three tensors each, the result is two. */
type Tensors = readonly Float64Array[];

/**
 * @param roundingSeeds one rounded reference for each, to fill in `roundingError`
 * @throws Error where builds of the kernels give other bits
 */
export function compareStep(step: ComparedStep, roundingSeeds: readonly number[] = []): TensorError[] {
  const layers = inferLayers(step.model);
  const shards = Array.from({ length: shardCount(step.samples, step.shardSize) }, (_, i) =>
    shardInput(step, layers, i),
  );
  const expected = addShards(shards.map((shard) => contributionOf(shard, runNetwork(shard))));
  const rounded = roundingSeeds.map((seed) =>
    addShards(shards.map((shard) => contributionOf(shard, runRounded(shard, uniforms(seed))))),
  );
  const { names, tensors } = runNative(step);
  const scale = Math.max(1e-3, ...expected.filter((_, i) => isGradient(names[i])).map(largestOf));
  return expected.map((values, i) => {
    const own = largestOf(values);
    const magnitude = isGradient(names[i]) && own <= VANISHES * scale ? scale : Math.max(own, 1e-30);
    const errorOf = (actual: Tensors): number => largestDifference(actual[i] as Float64Array, values) / magnitude;
    return {
      name: names[i] as string,
      error: errorOf(tensors),
      roundingError: Math.max(0, ...rounded.map(errorOf)),
    };
  });
}

/** The largest error of any tensor. */
export const worstError = (errors: readonly TensorError[]): number => Math.max(...errors.map(({ error }) => error));

/** The largest error of any tensor over what is allowed: TOLERANCE, or what rounding makes where that is more. */
export const worstExcess = (errors: readonly TensorError[]): number =>
  Math.max(...errors.map(({ error, roundingError }) => error / Math.max(TOLERANCE, ROUNDINGS * roundingError)));

/**
 * The errors of a step with each seed in turn, until those of more than half of the seeds are within `TOLERANCE`: then so is
 * their median, which one looks at since a ReLU or a pool that rounding decides is a real difference.
 */
export async function compareSeeds(
  seeds: readonly number[],
  compare: (seed: number) => TensorError[] | Promise<TensorError[]>,
): Promise<TensorError[][]> {
  const runs: TensorError[][] = [];
  let good = 0;
  for (const seed of seeds) {
    const errors = await compare(seed);
    runs.push(errors);
    if (worstError(errors) < TOLERANCE && ++good > seeds.length / 2) break;
  }
  return runs;
}

/** The furthest that rounding moves a gradient. */
export const worstRounding = (errors: readonly TensorError[]): number =>
  Math.max(...errors.map(({ name, roundingError }) => (isGradient(name) ? roundingError : 0)));

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

/** The names of the worst tensors with their errors, for a failing test's message. */
export const describeErrors = (runs: readonly TensorError[][]): string =>
  runs
    .map((errors) => {
      const worst = [...errors].sort((a, b) => b.error - a.error).slice(0, 3);
      return worst.map((e) => `${e.name} ${e.error.toExponential(1)} (${e.roundingError.toExponential(1)})`).join(', ');
    })
    .join(' | ');

const isGradient = (name: string | undefined): boolean => name !== undefined && !/^(statistics|result)/.test(name);

const largestOf = (values: Float64Array): number =>
  values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);

function largestDifference(actual: Float64Array, expected: Float64Array): number {
  const difference = expected.reduce((most, value, i) => Math.max(most, Math.abs((actual[i] as number) - value)), 0);
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
}

// ---- the reference ----

interface ShardInput extends NetworkInput {
  readonly buffers: readonly Float64Array[];
}

function shardInput(step: ComparedStep, layers: readonly Layer[], shard: number): ShardInput {
  const first = shard * step.shardSize;
  const end = Math.min(step.samples, first + step.shardSize);
  const pixels = elementCount(step.model.input);
  return {
    layers,
    parameters: step.parameters.map((values) => Float64Array.from(values)),
    buffers: step.buffers.map((values) => Float64Array.from(values)),
    input: normalizePixels(step.images.subarray(first * pixels, end * pixels), step.normalization),
    labels: step.labels.slice(first, end),
    sampleCount: end - first,
    train: true,
    labelSmoothing: step.labelSmoothing,
    dropoutMasks: (index) => {
      const layer = layers[index];
      if (layer?.spec.type !== 'dropout') return undefined;
      const draw = { elements: elementCount(layer.output), samples: end - first, p: layer.spec.p, first };
      return dropoutMask(index, draw);
    },
  };
}

/** Gradients, and of each batch norm n d, n d^2 and n variance behind its parameters; loss and correct count last. */
function contributionOf({ layers, buffers, sampleCount }: ShardInput, result: NetworkResult): Tensors {
  const gradients = result.gradients.values();
  const means = buffers.filter((_, i) => i % 2 === 0).values();
  const statistics = result.batchNorm.values();
  const tensors: Float64Array[] = [];
  for (const layer of layers) {
    for (const _ of layer.parameters) tensors.push(gradients.next().value as Float64Array);
    if (layer.spec.type !== 'batchNorm') continue;
    const { mean, variance } = statistics.next().value as { mean: Float64Array; variance: Float64Array };
    const running = means.next().value as Float64Array;
    const count = sampleCount * layer.input.height * layer.input.width;
    const d = mean.map((m, c) => m - (running[c] as number));
    tensors.push(
      d.map((v) => count * v),
      d.map((v) => count * v * v),
      variance.map((v) => count * v),
    );
  }
  return [...tensors, Float64Array.of(result.lossSum), Float64Array.of(result.correct)];
}

const addShards = (shards: readonly Tensors[]): Tensors =>
  shards.reduce((sums, shard) =>
    sums.map((sum, i) => sum.map((v, k) => v + ((shard[i] as Float64Array)[k] as number))),
  );

// ---- the native engine ----

function runNative(step: ComparedStep): { names: string[]; tensors: Tensors } {
  const [isa, ...others] = step.isas ?? [undefined];
  const { run, contribution } = contribute(step, isa);
  for (const other of others) {
    if (bytesOf(contribution).equals(bytesOf(contribute(step, other).contribution))) continue;
    throw new Error(`the ${other} kernels give other bits than the ${isa} kernels`);
  }
  const names: string[] = [];
  const tensors: Float64Array[] = [];
  for (const { name, values } of run.parts(contribution)) {
    const pieces = name === 'statistics' ? 3 : name === 'result' ? 2 : 1;
    const size = values.length / pieces;
    for (let piece = 0; piece < pieces; piece++) {
      names.push(pieces === 1 ? name : `${name} ${piece}`);
      tensors.push(Float64Array.from(values.subarray(piece * size, (piece + 1) * size)));
    }
  }
  return { names, tensors };
}

function contribute(step: ComparedStep, isa: string | undefined): { run: NativeRun; contribution: Float32Array } {
  const { model, shardSize, normalization, labelSmoothing, isas: _, ...rest } = step;
  const perChannel = (value: number): number[] => Array.from({ length: model.input.channels }, () => value);
  const run = prepareNativeStep({
    ...rest,
    model,
    recipe: { shardSize, batchSize: step.samples, ...(labelSmoothing !== undefined && { labelSmoothing }) },
    normalization: { mean: perChannel(normalization.mean), std: perChannel(normalization.std) },
    ...(isa !== undefined && { isa }),
  });
  return { run, contribution: run.contribute() };
}
