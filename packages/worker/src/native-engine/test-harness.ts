/** Runs the native engine on one step in plain memory, for tests: no threads, no arena protocol. */

import { philox, purposes } from '@lockstep/core/math';
import { inferLayers, type Layer } from '@lockstep/core/model';
import {
  type ContributionLayout,
  canonicalPartials,
  foldStep,
  listRounded,
  maxCanonicalPartials,
  packState,
  planContribution,
  planFold,
  reduceCanonically,
  type ShardRange,
  type Span,
  shardCount,
} from '@lockstep/core/run';
import { type ModelSpec, parseModelSpec, type RecipeInput, recipeSchema } from '@lockstep/core/spec';
import { allocateAligned, findIsa, openMemory, place } from '@lockstep/kernels';
import { NativeEngine } from './native-engine.js';

export const TEST_SEED = 77;

export interface NativeStep {
  readonly model: ModelSpec;
  readonly recipe?: RecipeInput;
  readonly parameters: readonly (Float32Array | Float64Array)[];
  readonly buffers: readonly (Float32Array | Float64Array)[];
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
  /** Samples in the step; sample i shows image order[orderStart + i]. */
  readonly samples: number;
  readonly order?: Int32Array;
  readonly orderStart?: number;
  readonly normalization?: { readonly mean: readonly number[]; readonly std: readonly number[] };
  readonly isa?: string;
  readonly seed?: number;
  readonly step?: number;
  readonly epoch?: number;
}

/** One tensor of a contribution. */
export interface Part {
  readonly name: string;
  readonly values: Float32Array;
}

export interface NativeRun {
  readonly layers: readonly Layer[];
  readonly layout: ContributionLayout;
  readonly shards: number;
  /** The partials of shards [begin, end), padding and all. */
  computePartials(begin: number, end: number): Float32Array[];
  /** The whole step's contribution, from the partials of ranges that cover it; default: one range. */
  contribute(ranges?: readonly ShardRange[]): Float32Array;
  /** Computes the whole step from parameters and statistics that are all NaN: every activation becomes NaN. */
  poisonScratch(): void;
  /** results: [predicted, probability] per sample, [loss, correct] per shard; logits: [sample][class]. */
  evaluate(first?: number, count?: number): { results: Float32Array; logits: Float32Array };
  parts(contribution: Float32Array): Part[];
  /** The largest magnitude in the padding between regions. */
  paddingOf(contribution: Float32Array): number;
}

/** Normalization where a test gives none: takes noise to about mean 0 and deviation 1. */
const PLAIN = { mean: 0.5, std: 0.29 };

/** A probability that the 16 random bits of an element hit exactly. */
export const exactProbability = (p: number): number => Math.round(p * 65_536) / 65_536;

/** The same model with every dropout probability exact in 16 bits. */
export function withExactDropout(model: ModelSpec): ModelSpec {
  const layers = model.layers.map((layer) =>
    layer.type === 'dropout' ? { ...layer, p: exactProbability(layer.p) } : layer,
  );
  return parseModelSpec({ ...model, layers });
}

/** The bytes of an array, which `toEqual` compares bit by bit: -0 is not 0, and NaN has a payload. */
export const bytesOf = (values: Float32Array): Buffer =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength);

/** What a dropout mask is a function of. */
export interface MaskDraw {
  readonly elements: number;
  readonly samples: number;
  readonly p: number;
  readonly step?: number;
  /** Position in the step of the first sample. */
  readonly first?: number;
}

/**
 * Kept elements by the documented layout, [sample][element], 1 = kept: half e % 2 of word (e / 2) % 4 of the block at
 * index floor(e / 8), lane = position in the step, stream = step, purpose = dropout | layer << 8.
 */
export function dropoutMask(layerIndex: number, { elements, samples, p, step = 0, first = 0 }: MaskDraw): Uint8Array {
  const threshold = Math.round(p * 65_536);
  const purpose = (purposes.dropout | (layerIndex << 8)) as never;
  const mask = new Uint8Array(samples * elements);
  const words = new Uint32Array(4);
  for (let sample = 0; sample < samples; sample++) {
    for (let e = 0; e < elements; e++) {
      if (e % 8 === 0) philox(TEST_SEED, purpose, step, first + sample, e / 8, words);
      const word = words[(e >> 1) & 3] as number;
      mask[sample * elements + e] = ((word >>> ((e & 1) * 16)) & 0xffff) >= threshold ? 1 : 0;
    }
  }
  return mask;
}

export function prepareNativeStep(options: NativeStep): NativeRun {
  const { model, samples } = options;
  const recipe = recipeSchema.parse(options.recipe ?? {});
  const layers = inferLayers(model);
  const layout = planContribution(layers);
  const shards = shardCount(samples, recipe.shardSize);
  const kernels = openMemory(findIsa('auto', options.isa));
  const arena = allocateAligned(layout.length * (2 + maxCanonicalPartials(shards)), kernels);
  packInitialState(layout, options, arena);
  const perChannel = (value: number): number[] => Array.from({ length: model.input.channels }, () => value);
  const normalization = options.normalization ?? { mean: perChannel(PLAIN.mean), std: perChannel(PLAIN.std) };
  const order = place(options.order ?? Int32Array.from({ length: samples }, (_, i) => i), kernels);
  const images = place(options.images, kernels);
  const labels = place(options.labels, kernels);
  const task = { layers, layout, recipe, seed: options.seed ?? TEST_SEED, normalization };
  const engine = new NativeEngine(task, { arena, order, kernels }, { images, labels });
  const computePartials = (firstShard: number, endShard: number): Float32Array[] => {
    for (let at = layout.length; at < arena.length; at += layout.length) {
      poisonRegions(layout, arena.subarray(at, at + layout.length));
    }
    const { orderStart = 0, step = 0, epoch = 0 } = options;
    const partials = layout.length / 16;
    engine.contribute({ state: 0, partials, firstShard, endShard, samples, orderStart, step, epoch, progress: 0 });
    return canonicalPartials({ begin: firstShard, end: endShard }).map((_, i) =>
      arena.slice(layout.length * (1 + i), layout.length * (2 + i)),
    );
  };
  return {
    layers,
    layout,
    shards,
    computePartials,
    contribute: (ranges = [{ begin: 0, end: shards }]) =>
      foldPartials(
        ranges.flatMap(canonicalPartials),
        ranges.flatMap(({ begin, end }) => computePartials(begin, end)),
        listRounded(layout, recipe),
      ),
    poisonScratch() {
      const state = arena.slice(0, layout.length);
      arena.fill(Number.NaN, 0, layout.length);
      computePartials(0, shards);
      arena.set(state);
    },
    evaluate(first = 0, count = samples) {
      const endShard = shardCount(count, recipe.shardSize);
      const results = new Float32Array(2 * (count + endShard)).fill(Number.NaN);
      const logits = new Float32Array(count * model.classes).fill(Number.NaN);
      const call = { state: 0, first, count, firstShard: 0, endShard, progress: 0 };
      engine.evaluate(call, { images, labels }, results, logits);
      return { results, logits };
    },
    parts: (contribution) =>
      layout.regions.map((region) => ({
        name: region.kind === 'parameter' ? region.parameter.name : region.kind,
        values: contribution.subarray(region.offset, region.offset + region.size),
      })),
    paddingOf(contribution) {
      const padding = contribution.slice();
      for (const { offset, size } of layout.regions) padding.fill(0, offset, offset + size);
      return padding.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    },
  };
}

function packInitialState(layout: ContributionLayout, { parameters, buffers }: NativeStep, arena: Float32Array): void {
  const toFloat32 = (values: Float32Array | Float64Array): Float32Array => Float32Array.from(values);
  const state = { parameters: parameters.map(toFloat32), buffers: buffers.map(toFloat32) };
  packState(layout, state, arena.subarray(0, layout.length));
}

/** What stood in a partial's place before must not matter; the padding between regions is 0 in every place and must stay so. */
function poisonRegions(layout: ContributionLayout, partial: Float32Array): void {
  partial.fill(0);
  for (const { offset, size } of layout.regions) partial.fill(Number.NaN, offset, offset + size);
}

/** Adds up partials that cover a step, in the canonical order. */
function foldPartials(
  ranges: readonly ShardRange[],
  partials: readonly Float32Array[],
  rounded: readonly Span[],
): Float32Array {
  const stack: Float32Array[] = [];
  let next = 0;
  for (const action of planFold(ranges)) {
    if (action === foldStep.push) stack.push(partials[next++] as Float32Array);
    else {
      const upper = stack.pop() as Float32Array;
      stack.push(reduceCanonically([stack.pop() as Float32Array, upper], rounded));
    }
  }
  return stack[0] as Float32Array;
}
