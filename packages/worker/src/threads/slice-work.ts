/**
 * Sums and updates on slices of a step's vectors, in a step that several nodes share: all of a slice, or the part of one
 * of several threads.
 */

import { inferLayers } from '@lockstep/core/model';
import {
  align,
  averageDecay,
  type ContributionLayout,
  gradientScale,
  listRounded,
  planContribution,
  planFreeze,
  type Region,
  type Span,
  samplesInStep,
  stepsPerEpoch,
} from '@lockstep/core/run';
import type { Recipe } from '@lockstep/core/spec';
import {
  loadKernels,
  type NativeEngine as NativeHandle,
  type NativeKernels,
  UPDATE_FIELDS,
  updateField,
} from '@lockstep/kernels';
import { type MemoryPlan, planMemory } from '../plan/memory-plan.js';
import { isKept, planPiecesOf, planSquares, planSums, type SquaresPlan } from '../plan/step-plan.js';
import { tabulateUpdates } from '../plan/update-table.js';
import type { FoldJob } from './commands.js';
import type { FaultHook } from './fault.js';
import type { NodeWorkerData } from './thread-messages.js';

/** Floats [offset, offset + length) of the vectors. */
export interface Slice {
  readonly offset: number;
  readonly length: number;
}

/** What a thread of a node has, whichever of its threads it is. */
export interface SliceTools {
  readonly data: NodeWorkerData;
  readonly recipe: Recipe;
  readonly layout: ContributionLayout;
  readonly memory: MemoryPlan;
  readonly kernels: NativeKernels;
  /** Sums and updates need the arena but no program. */
  readonly updater: NativeHandle;
  readonly epochSteps: number;
  readonly squares: SquaresPlan;
  readonly isFrozen: (region: Region) => boolean;
  readonly fault: FaultHook | undefined;
}

export function openSliceTools(data: NodeWorkerData, fault: FaultHook | undefined): SliceTools {
  const { recipe, splits, workers } = data;
  const layers = inferLayers(data.model);
  const layout = planContribution(layers);
  const memory = planMemory(layout, recipe, workers, data.partials);
  const freeze = planFreeze(layers, recipe.freeze);
  const isFrozen = (region: Region): boolean => isKept(region, layers, freeze);
  const kernels = loadKernels(data.kernels);
  const { images, labels } = splits.train;
  const updater = kernels.createEngine(Int32Array.of(1, 1, 0, 1, 0, 1), data.arena, images, labels, data.order);
  const epochSteps = stepsPerEpoch(splits.train.count, recipe.batchSize);
  const squares = planSquares(layout, workers, isFrozen);
  return { data, recipe, layout, memory, kernels, updater, epochSteps, squares, isFrozen, fault };
}

const PUSH = Int32Array.of(0);

export class SliceWork {
  readonly #row = new Float64Array(UPDATE_FIELDS);
  #rowStep = -1;
  readonly #pieces = new Map<string, Int32Array>();
  readonly #rounded: readonly Span[];

  /** @param worker this thread, of so many `workers` that share every slice */
  constructor(
    private readonly tools: SliceTools,
    private readonly worker: number,
    private readonly workers: number,
  ) {
    this.#rounded = listRounded(tools.layout, tools.recipe);
  }

  fold({ offset, length }: Slice, jobs: readonly FoldJob[]): void {
    const { kernels, updater } = this.tools;
    const each = align(length / this.workers);
    const begin = Math.min(length, this.worker * each);
    const end = Math.min(length, begin + each);
    if (begin === end) return;
    const pieces = planSums({ offset: offset + begin, length: end - begin }, this.#rounded);
    this.#row[updateField.rounds] = this.#rounded.length > 0 ? 1 : 0;
    this.#rowStep = -1;
    for (const { into, partials, fold } of jobs) {
      this.#row[updateField.nextState] = into;
      kernels.update(updater, this.#row, Int32Array.from(partials), Int32Array.from(fold), pieces);
    }
  }

  /** This thread's share of the norm of the finished reduction. */
  addSquares(step: number): void {
    const { kernels, updater, memory, squares, data } = this.tools;
    const chunks = squares.chunks[this.worker] as Int32Array;
    const samples = this.#samples(step);
    // one partial, which is rounded already
    kernels.squares(updater, samples, false, Int32Array.of(memory.reductionAt), PUSH, chunks, data.squareSums);
  }

  /** Applies the finished reduction. */
  update(step: number, slice: Slice): void {
    const { kernels, updater, memory, recipe, data, fault } = this.tools;
    fault?.('update', this.worker, step);
    const row = this.#rowOf(step);
    if (recipe.clipNorm !== undefined) {
      const squareSum = data.squareSums.reduce((sum, value) => sum + value, 0);
      row[updateField.gradientScale] = gradientScale(recipe.clipNorm, squareSum);
    }
    const pieces = this.#piecesOf(slice);
    kernels.update(updater, row, Int32Array.of(memory.reductionAt), PUSH, pieces);
    if (memory.hasAverage) {
      const decay = averageDecay(recipe.ema as number, recipe.emaWarmup === true, step + 1);
      const [now, next] = [memory.averageAt(step % 2), memory.averageAt((step + 1) % 2)];
      kernels.average(updater, Float64Array.of(memory.stateAt((step + 1) % 2), now, next, decay), pieces);
    }
    fault?.('updated', this.worker, step);
  }

  #samples(step: number): number {
    const { data, recipe, epochSteps } = this.tools;
    return samplesInStep(step % epochSteps, data.splits.train.count, recipe.batchSize);
  }

  #rowOf(step: number): Float64Array {
    const { recipe, memory, epochSteps } = this.tools;
    if (this.#rowStep !== step) {
      this.#row.set(tabulateUpdates(recipe, memory, epochSteps, step, step + 1));
      this.#row[updateField.samples] = this.#samples(step);
      this.#rowStep = step;
    }
    return this.#row;
  }

  #piecesOf(slice: Slice): Int32Array {
    const key = `${slice.offset} ${slice.length}`;
    const known = this.#pieces.get(key);
    if (known) return known;
    const { layout, isFrozen } = this.tools;
    const pieces = planPiecesOf(layout, slice, this.workers, isFrozen)[this.worker] as Int32Array;
    this.#pieces.set(key, pieces);
    return pieces;
  }
}
