/** A worker's side of a step that several nodes share: it carries out orders until it is told to leave. */
import {
  ALIGNMENT,
  averageDecay,
  type ContributionLayout,
  dealShards,
  gradientScale,
  listRounded,
  type Recipe,
  type Segment,
  type Span,
  samplesInStep,
} from '@lockstep/core';
import { type NativeEngine as NativeHandle, type NativeKernels, UPDATE_FIELDS, updateField } from '@lockstep/kernels';
import type { Control } from './control.js';
import type { Engine, StepCall } from './engine.js';
import type { FaultPoint } from './fault.js';
import type { MemoryPlan } from './memory-plan.js';
import type { NodeWorkerData } from './messages.js';
import { type Order, OrderBlock, orderFlag } from './orders.js';
import { planPiecesOf, planSums, type SquaresPlan } from './step-plan.js';
import { tabulateUpdates } from './update-table.js';

/** What a worker thread has, whoever tells it what to do. */
export interface WorkerTools {
  readonly data: NodeWorkerData;
  readonly recipe: Recipe;
  readonly layout: ContributionLayout;
  readonly memory: MemoryPlan;
  readonly control: Control;
  readonly engine: Engine;
  readonly kernels: NativeKernels;
  readonly updater: NativeHandle;
  readonly epochSteps: number;
  readonly squares: SquaresPlan;
  readonly isFrozen: (segment: Segment) => boolean;
  readonly fault: ((point: FaultPoint, worker: number, step: number) => void) | undefined;
}

/** Loads before a thread sleeps, when it has a core of its own. */
const SPINS = 2000;
/** An idle worker shows so often that it is there. */
const IDLE_MS = 2000;
const PUSH = Int32Array.of(0);

export class OrderLoop {
  readonly #orders: OrderBlock;
  readonly #row = new Float64Array(UPDATE_FIELDS);
  #rowStep = -1;
  readonly #pieces = new Map<string, Int32Array>();
  readonly #call: StepCall;
  readonly #rounded: readonly Span[];

  constructor(
    private readonly tools: WorkerTools,
    private readonly worker: number,
  ) {
    this.#orders = new OrderBlock(tools.data.orders);
    this.#rounded = listRounded(tools.layout, tools.recipe);
    const slots = tools.memory.nodesAt(worker);
    this.#call = { state: 0, slots, firstShard: 0, endShard: 0, samples: 0, orderStart: 0, step: 0, epoch: 0 };
  }

  /** @param seen orders that are done */
  serve(seen: number): void {
    const { data, control } = this.tools;
    for (let count = seen; ; count++) {
      while (!this.#orders.awaitNext(count, data.spins ? SPINS : 0, IDLE_MS)) {
        if (control.aborted !== 0) return;
        control.enter(this.worker, true);
      }
      const order = this.#orders.read();
      if (order.flags & orderFlag.leave) return;
      if (!this.#carryOut(order, count + 1)) return;
      if (this.worker === 0) this.#orders.finish(count + 1, 'done');
    }
  }

  /** Whether the order was carried out; false after an abort. */
  #carryOut(order: Order, count: number): boolean {
    const { flags } = order;
    const meet = (): boolean => this.tools.control.meet(this.worker, -1);
    if (flags & orderFlag.contribute) {
      this.#contribute(order);
      if (!meet()) return false;
    }
    if (flags & orderFlag.fold) {
      for (const { into, nodes, fold } of order.jobs) this.#fold(order, into, nodes, fold);
      if (!meet()) return false;
    }
    if (flags & (orderFlag.contribute | orderFlag.fold) && this.worker === 0) this.#orders.finish(count, 'folded');
    if (flags & orderFlag.squares) {
      this.#addSquares(order.step);
      if (!meet()) return false;
    }
    if (flags & orderFlag.update) {
      this.#update(order);
      if (!meet()) return false;
    }
    return true;
  }

  #samples(step: number): number {
    const { data, recipe, epochSteps } = this.tools;
    return samplesInStep(step % epochSteps, data.splits.train.count, recipe.batchSize);
  }

  #contribute({ step, state, range }: Order): void {
    const { recipe, engine, epochSteps, data, fault } = this.tools;
    fault?.('contribute', this.worker, step);
    const own = dealShards(range.end - range.begin, data.workers)[this.worker];
    if (own && own.end > own.begin) {
      const call = this.#call;
      call.state = state;
      call.firstShard = range.begin + own.begin;
      call.endShard = range.begin + own.end;
      call.samples = this.#samples(step);
      call.orderStart = (step % epochSteps) * recipe.batchSize;
      call.step = step;
      call.epoch = Math.floor(step / epochSteps);
      engine.contribute(call);
    }
    fault?.('contributed', this.worker, step);
  }

  #fold({ offset, length }: Order, into: number, nodes: readonly number[], fold: readonly number[]): void {
    const { kernels, updater, data } = this.tools;
    const each = Math.ceil(length / ALIGNMENT / data.workers) * ALIGNMENT;
    const begin = Math.min(length, this.worker * each);
    const end = Math.min(length, begin + each);
    if (begin === end) return;
    const pieces = planSums({ offset: offset + begin, length: end - begin }, this.#rounded);
    this.#row[updateField.nextState] = into;
    this.#row[updateField.rounds] = this.#rounded.length > 0 ? 1 : 0;
    this.#rowStep = -1;
    kernels.update(updater, this.#row, Int32Array.from(nodes), Int32Array.from(fold), pieces);
  }

  #addSquares(step: number): void {
    const { kernels, updater, memory, squares, data } = this.tools;
    const chunks = squares.chunks[this.worker] as Int32Array;
    const samples = this.#samples(step);
    // one node, which is rounded already
    kernels.squares(updater, samples, false, Int32Array.of(memory.reductionAt), PUSH, chunks, data.squareSums);
  }

  #update(order: Order): void {
    const { kernels, updater, memory, recipe, data, fault } = this.tools;
    fault?.('update', this.worker, order.step);
    const row = this.#rowOf(order.step);
    if (recipe.clipNorm !== undefined) {
      const squareSum = data.squareSums.reduce((sum, value) => sum + value, 0);
      row[updateField.gradientScale] = gradientScale(recipe.clipNorm, squareSum);
    }
    const pieces = this.#piecesOf(order);
    kernels.update(updater, row, Int32Array.of(memory.reductionAt), PUSH, pieces);
    if (memory.hasAverage) {
      const { step } = order;
      const decay = averageDecay(recipe.ema as number, recipe.emaWarmup === true, step + 1);
      const [now, next] = [memory.averageAt(step % 2), memory.averageAt((step + 1) % 2)];
      kernels.average(updater, Float64Array.of(memory.stateAt((step + 1) % 2), now, next, decay), pieces);
    }
    fault?.('updated', this.worker, order.step);
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

  #piecesOf({ offset, length }: Order): Int32Array {
    const key = `${offset} ${length}`;
    const known = this.#pieces.get(key);
    if (known) return known;
    const { layout, data, isFrozen } = this.tools;
    const planned = planPiecesOf(layout, { offset, length }, data.workers, isFrozen);
    this.#pieces.set(key, planned[this.worker] as Int32Array);
    return planned[this.worker] as Int32Array;
  }
}
