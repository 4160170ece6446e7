/** One training step on the calling thread, without a node around it: what measurements of the kernels run. */

import { inferLayers } from '@lockstep/core/model';
import {
  ALIGNMENT,
  type ContributionLayout,
  epochOrder,
  initialBuffers,
  initialParameters,
  packState,
  planContribution,
  shardCount,
} from '@lockstep/core/run';
import type { ModelSpec, Recipe } from '@lockstep/core/spec';
import {
  allocateAligned,
  CALL_FIELDS,
  callField,
  findIsa,
  listOps,
  loadKernels,
  type NativeEngine as NativeHandle,
  type NativeKernels,
  openMemory,
  type ProgramOp,
  place,
  UPDATE_FIELDS,
  updateField,
} from '@lockstep/kernels';
import type { EngineData } from '../engine.js';
import { compile } from '../native-engine/compile.js';
import { type MemoryPlan, planMemory } from '../plan/memory-plan.js';
import { planPieces, planStep } from '../plan/step-plan.js';
import { tabulateUpdates } from '../plan/update-table.js';

export interface SingleStepOptions {
  readonly model: ModelSpec;
  /** Of at least one step's samples; clipping and moving average are left out. */
  readonly recipe: Recipe;
  readonly seed: number;
  readonly data: EngineData;
  readonly normalization: { readonly mean: readonly number[]; readonly std: readonly number[] };
  /** A build of the kernels; default: the best for this processor. */
  readonly isa?: string | undefined;
}

/** The arguments of the kernels' calls for one step; see `NativeKernels`. */
export interface StepArguments {
  readonly program: Int32Array;
  readonly arena: Float32Array;
  readonly order: Int32Array;
  readonly call: Int32Array;
  readonly updateBlock: Float64Array;
  readonly partials: Int32Array;
  readonly fold: Int32Array;
  readonly pieces: Int32Array;
}

/** The first step of a run by one worker. It reads version 0 of the state and writes version 1, however often it is run. */
export class SingleStep {
  readonly kernels: NativeKernels;
  readonly samples: number;
  readonly ops: readonly ProgramOp[];
  readonly args: StepArguments;
  readonly #engine: NativeHandle;

  constructor({ model, recipe, seed, data, normalization, isa }: SingleStepOptions) {
    const layers = inferLayers(model);
    const layout = planContribution(layers);
    const memory = planMemory(layout, recipe, 1);
    const shared = openMemory(findIsa('auto', isa));
    this.kernels = loadKernels(shared);
    this.samples = Math.min(recipe.batchSize, data.labels.length);
    const plan = planStep(this.samples, recipe.shardSize, 1, memory);
    const order = place(new Int32Array(new SharedArrayBuffer(4 * data.labels.length)), shared);
    epochOrder(seed, 0, data.labels.length, order);
    const arena = allocateAligned(memory.floats, shared);
    const state = { parameters: initialParameters(layers, seed), buffers: initialBuffers(layers) };
    packState(layout, state, arena.subarray(0, layout.length));
    this.args = {
      program: compile({ layers, layout, recipe, normalization }).code,
      arena,
      order,
      call: this.#call(layout, memory, recipe, seed),
      updateBlock: this.#updateBlock(memory, recipe),
      partials: plan.partials,
      fold: plan.fold,
      pieces: planPieces(layout, 1)[0] as Int32Array,
    };
    this.ops = listOps(this.args.program);
    const [images, labels] = [place(data.images, shared), place(data.labels, shared)];
    this.#engine = this.kernels.createEngine(this.args.program, arena, images, labels, order);
  }

  #call(layout: ContributionLayout, memory: MemoryPlan, recipe: Recipe, seed: number): Int32Array {
    const call = new Int32Array(CALL_FIELDS);
    call[callField.state] = memory.stateAt(0);
    call[callField.partials] = memory.partialsAt(0);
    call[callField.partialFloats] = layout.length / ALIGNMENT;
    call[callField.endShard] = shardCount(this.samples, recipe.shardSize);
    call[callField.samples] = this.samples;
    call[callField.progress] = memory.progressAt(0);
    call[callField.seedLow] = seed | 0;
    call[callField.seedHigh] = Math.floor(seed / 2 ** 32) | 0;
    return call;
  }

  #updateBlock(memory: MemoryPlan, recipe: Recipe): Float64Array {
    const block = tabulateUpdates(recipe, memory, 1, 0, 1).slice(0, UPDATE_FIELDS);
    block[updateField.samples] = this.samples;
    return block;
  }

  /** Forward, backward, and the sums over shards. */
  contribute(): void {
    this.kernels.contribute(this.#engine, this.args.call);
  }

  /** The end of the reduction, and the optimizer. */
  update(): void {
    const { updateBlock, partials, fold, pieces } = this.args;
    this.kernels.update(this.#engine, updateBlock, partials, fold, pieces);
  }

  /** Contributes and times each op; rows as `NativeKernels.profile` gives them. */
  profile(): Float64Array {
    return this.kernels.profile(this.#engine, this.args.call);
  }
}
