/** Runs the native engine on one step in plain memory, for tests: no threads, no arena protocol. */
import {
  inferLayers,
  type Layer,
  type ModelSpec,
  packState,
  parseModelSpec,
  philox,
  planContribution,
  purposes,
  type RecipeInput,
  recipeSchema,
  reduceCanonically,
  shardCount,
} from '@lockstep/core';
import { allocateAligned } from '@lockstep/kernels';
import { NativeEngine } from './native-engine.js';

export const TEST_SEED = 77;
const MOST_NODES = 16;

export interface NativeStep {
  readonly model: ModelSpec;
  readonly recipe?: RecipeInput;
  readonly parameters: readonly (Float32Array | Float64Array)[];
  readonly buffers: readonly (Float32Array | Float64Array)[];
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
  readonly samples: number;
  readonly mean?: number[];
  readonly std?: number[];
  readonly isa?: string;
  readonly step?: number;
  readonly epoch?: number;
}

export interface NativeRun {
  readonly layers: readonly Layer[];
  /** The contribution of shards [begin, end): its canonical nodes added up. */
  contribute(begin?: number, end?: number): Float32Array;
  /** [predicted, probability] per sample, [loss, correct] per shard. */
  evaluate(): Float32Array;
  /** The part of a contribution that belongs to a segment. */
  parts(contribution: Float32Array): { name: string; values: Float32Array }[];
}

/** A probability that the 16 random bits of an element hit exactly. */
export const exactProbability = (p: number): number => Math.round(p * 65_536) / 65_536;

/** The same model with every dropout probability exact in 16 bits. */
export function withExactDropout(model: ModelSpec): ModelSpec {
  const layers = model.layers.map((layer) =>
    layer.type === 'dropout' ? { ...layer, p: exactProbability(layer.p) } : layer,
  );
  return parseModelSpec({ ...model, layers });
}

/** Kept elements as the native engine draws them: [sample][element], 1 = kept. */
export function dropoutMask(
  layer: Layer,
  elements: number,
  samples: number,
  p: number,
  step = 0,
  first = 0,
): Uint8Array {
  const threshold = Math.round(p * 65_536);
  const mask = new Uint8Array(samples * elements);
  const words = new Uint32Array(4);
  for (let sample = 0; sample < samples; sample++) {
    for (let e = 0; e < elements; e++) {
      if (e % 8 === 0)
        philox(TEST_SEED, (purposes.dropout | (layer.index << 8)) as never, step, first + sample, e / 8, words);
      const word = words[(e >> 1) & 3] as number;
      mask[sample * elements + e] = ((word >>> ((e & 1) * 16)) & 0xffff) >= threshold ? 1 : 0;
    }
  }
  return mask;
}

export function prepareNativeStep(options: NativeStep): NativeRun {
  const { model, parameters, buffers, images, labels, samples } = options;
  const recipe = recipeSchema.parse(options.recipe ?? {});
  const layers = inferLayers(model);
  const layout = planContribution(layers);
  const { channels } = model.input;
  const shards = shardCount(samples, recipe.shardSize);
  const arena = allocateAligned(layout.length * (1 + MOST_NODES));
  packState(
    layout,
    { parameters: parameters.map(toFloat32), buffers: buffers.map(toFloat32) },
    arena.subarray(0, layout.length),
  );
  const mean = options.mean ?? Array.from({ length: channels }, () => 0.5);
  const std = options.std ?? Array.from({ length: channels }, () => 0.29);
  const order = Int32Array.from({ length: samples }, (_, i) => i);
  const engine = new NativeEngine(
    { layers, layout, recipe, seed: TEST_SEED, normalization: { mean, std } },
    { arena, order },
    { images, labels },
    options.isa,
  );
  return {
    layers,
    contribute(begin = 0, end = shards) {
      arena.fill(Number.NaN, layout.length);
      engine.contribute({
        state: 0,
        slots: layout.length / 16,
        firstShard: begin,
        endShard: end,
        samples,
        orderStart: 0,
        step: options.step ?? 0,
        epoch: options.epoch ?? 0,
      });
      return addNodes(arena, layout.length, begin, end);
    },
    evaluate() {
      const results = new Float32Array(2 * (samples + shards));
      engine.evaluate(
        { state: 0, first: 0, count: samples, firstShard: 0, endShard: shards },
        { images, labels },
        results,
      );
      return results;
    },
    parts(contribution) {
      return layout.segments.map((segment) => ({
        name:
          segment.kind === 'parameter'
            ? segment.parameter.name
            : `${segment.kind} ${'layerIndex' in segment ? segment.layerIndex : ''}`,
        values: contribution.subarray(segment.offset, segment.offset + segment.size),
      }));
    },
  };
}

const toFloat32 = (values: Float32Array | Float64Array): Float32Array => Float32Array.from(values);

/** Adds the nodes of [begin, end) that stand in the slots; only ranges from 0 are whole steps. */
function addNodes(arena: Float32Array, length: number, begin: number, end: number): Float32Array {
  const nodes: Float32Array[] = [];
  for (let at = begin; at < end; ) {
    let size = 1;
    while (at % (2 * size) === 0 && at + 2 * size <= end) size *= 2;
    nodes.push(arena.slice(length * (1 + nodes.length), length * (2 + nodes.length)));
    at += size;
  }
  // The nodes shrink from left to right: the right spine of the tree.
  return nodes.reduceRight((sum, node) => reduceCanonically([node, sum]));
}
