/** Runs the same step on both engines in plain memory, for tests, and compares their contributions tensor by tensor. */

import { inferLayers, type Layer } from '@lockstep/core/model';
import {
  type ContributionLayout,
  canonicalPartials,
  type ModelState,
  maxCanonicalPartials,
  packState,
  planContribution,
  shardCount,
} from '@lockstep/core/run';
import type { EngineName } from '@lockstep/core/seams';
import type { ModelSpec, Recipe } from '@lockstep/core/spec';
import { allocateAligned, findIsa, openMemory, place } from '@lockstep/kernels';
import type { Engine, EngineData, EngineTask, StepCall } from '../engine.js';
import { NativeEngine } from '../native-engine/native-engine.js';
import { loadTensorFlow } from './installation.js';
import { TensorFlowEngine } from './tensorflow-engine.js';
import type { TensorFlow } from './tfjs-node.js';

export interface EngineRunOptions {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly state: ModelState;
  readonly data: EngineData;
  /** Samples in the step; sample i shows image order[i]. */
  readonly samples: number;
  readonly order?: Int32Array;
  readonly normalization: EngineTask['normalization'];
  readonly seed?: number;
}

let shared: TensorFlow | undefined;

/** The library, loaded once for all tests of a file. */
export function sharedTensorFlow(): TensorFlow {
  shared ??= loadTensorFlow();
  return shared;
}

export class EngineRun {
  readonly layers: readonly Layer[];
  readonly layout: ContributionLayout;
  readonly arena: Float32Array;
  readonly engine: Engine;
  readonly #shards: number;
  readonly #data: EngineData;

  constructor(
    name: EngineName,
    private readonly options: EngineRunOptions,
  ) {
    const { model, recipe, state, samples, normalization, seed = 77 } = options;
    this.layers = inferLayers(model);
    this.layout = planContribution(this.layers);
    this.#shards = shardCount(samples, recipe.shardSize);
    const kernels = openMemory(findIsa());
    this.arena = allocateAligned(this.layout.length * (2 + maxCanonicalPartials(this.#shards)), kernels);
    packState(this.layout, state, this.arena.subarray(0, this.layout.length));
    const order = place(options.order ?? Int32Array.from({ length: samples }, (_, i) => i), kernels);
    const task = { layers: this.layers, layout: this.layout, recipe, seed, normalization };
    const memory = { arena: this.arena, order, kernels };
    const { images, labels } = options.data;
    const data = { images: place(images, kernels), labels: place(labels, kernels) };
    this.#data = data;
    this.engine =
      name === 'native'
        ? new NativeEngine(task, memory, data)
        : new TensorFlowEngine(task, memory, data, sharedTensorFlow());
  }

  /** The partials of shards [begin, end); default: all. */
  contribute(call: Partial<StepCall> = {}, begin = 0, end = this.#shards): Float32Array[] {
    const { length } = this.layout;
    this.arena.fill(Number.NaN, length);
    const { samples } = this.options;
    const fixed = { state: 0, partials: length / 16, samples, orderStart: 0, step: 0, epoch: 0, progress: 0 };
    this.engine.contribute({ ...fixed, ...call, firstShard: begin, endShard: end });
    return canonicalPartials({ begin, end }).map((_, partial) =>
      this.arena.slice(length * (1 + partial), length * (2 + partial)),
    );
  }

  /** Results and logits of the first `count` images. */
  evaluate(count: number): { readonly results: Float32Array; readonly logits: Float32Array } {
    const endShard = shardCount(count, this.options.recipe.shardSize);
    const results = new Float32Array(2 * (count + endShard)).fill(Number.NaN);
    const logits = new Float32Array(count * this.options.model.classes).fill(Number.NaN);
    const call = { state: 0, first: 0, count, firstShard: 0, endShard, progress: 0 };
    this.engine.evaluate(call, this.#data, results, logits);
    return { results, logits };
  }
}

export interface TensorDifference {
  readonly name: string;
  /** Largest difference over the largest magnitude of the tensor. */
  readonly difference: number;
}

/** Below this share of the largest gradient of the network a tensor is taken for 0, and measured against that largest. */
const VANISHES = 1e-6;

/** Compares two contributions; a batch norm's statistics are three tensors, the result is two. */
export function compareContributions(
  layout: ContributionLayout,
  actual: Float32Array,
  expected: Float32Array,
): TensorDifference[] {
  const parts = layout.regions.flatMap((region) => {
    const pieces = region.kind === 'statistics' ? 3 : region.kind === 'result' ? 2 : 1;
    const size = region.size / pieces;
    const name = region.kind === 'parameter' ? region.parameter.name : region.kind;
    return Array.from({ length: pieces }, (_, piece) => {
      const at = region.offset + piece * size;
      return {
        name: pieces === 1 ? name : `${name} ${piece}`,
        isGradient: region.kind === 'parameter',
        at,
        end: at + size,
      };
    });
  });
  const magnitudeOf = (at: number, end: number): number =>
    expected.subarray(at, end).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = Math.max(...parts.filter((part) => part.isGradient).map(({ at, end }) => magnitudeOf(at, end)));
  return parts.map(({ name, isGradient, at, end }) => {
    const own = magnitudeOf(at, end);
    const magnitude = isGradient && own <= VANISHES * scale ? scale : Math.max(own, Number.MIN_VALUE);
    let most = 0;
    for (let i = at; i < end; i++) {
      const difference = Math.abs((actual[i] as number) - (expected[i] as number));
      if (!(difference <= most)) most = difference;
    }
    return { name, difference: most === 0 ? 0 : most / magnitude };
  });
}
