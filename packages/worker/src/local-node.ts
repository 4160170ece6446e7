/**
 * The node in this process: an arena, a Piscina pool of workers over it, and what to do when one of them is lost.
 *
 * A segment is one task per worker. When a worker throws, exits or stalls, everybody is sent back, Piscina replaces the
 * thread, and the segment goes on from the last committed step: the same shards, computed again, give the same bits.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import {
  assert,
  type Dataset,
  type EvaluatedSplit,
  type EvaluateOptions,
  epochOrder,
  inferLayers,
  initialBuffers,
  initialParameters,
  LockstepError,
  type ModelSpec,
  type ModelState,
  type NodeSnapshot,
  type OnWarning,
  packState,
  planContribution,
  planFreeze,
  type Recipe,
  type Segment,
  type SegmentPlan,
  type SegmentProgress,
  type SplitName,
  samplesInStep,
  shardCount,
  stepsPerEpoch,
  type TrainingNode,
  unpackState,
} from '@lockstep/core';
import { allocateAligned, loadKernels } from '@lockstep/kernels';
import { Piscina } from 'piscina';
import { abortReason, Control } from './control.js';
import { planMemory } from './memory-plan.js';
import type { NodeTask, NodeWorkerData } from './messages.js';
import { StallWatch } from './stall-watch.js';
import { isKept, planSquares } from './step-plan.js';

export interface LocalNodeOptions {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly dataset: Dataset;
  readonly seed: number;
  readonly workers: number;
  /** Instead of the seed's initial weights. */
  readonly initial?: ModelState | undefined;
  readonly onWarning?: OnWarning | undefined;
  /** For measurements: takes the milliseconds that each worker stands at barriers; over a SharedArrayBuffer, [workers]. */
  readonly waits?: Float64Array | undefined;
}

/** Workers lost without a step in between before the run is given up. */
const MAX_LOSSES = 3;
/** Shards that a worker takes from an evaluation at a time. */
const CHUNK_SHARDS = 16;
/** What Node gives as the id of a thread that has ended. */
const NO_THREAD = -1;

export class LocalNode implements TrainingNode {
  readonly workers: number;
  readonly engine: string;
  readonly #data: NodeWorkerData;
  readonly #layout;
  readonly #memory;
  readonly #control: Control;
  readonly #pool: Piscina<NodeTask, void>;
  readonly #epochSteps: number;
  #epoch = -1;
  #segment: SegmentPlan = { epoch: 0, firstStep: 0, endStep: 0 };

  constructor(private readonly options: LocalNodeOptions) {
    const { model, recipe, dataset, seed, workers } = options;
    const layers = inferLayers(model);
    this.workers = workers;
    this.engine = `native (${loadKernels().isa})`;
    this.#layout = planContribution(layers);
    this.#memory = planMemory(this.#layout, recipe, workers);
    this.#epochSteps = stepsPerEpoch(dataset.train.count, recipe.batchSize);
    const freeze = planFreeze(layers, recipe.freeze);
    const isFrozen = (segment: Segment): boolean => isKept(segment, layers, freeze);
    const squareCount = recipe.clipNorm === undefined ? 0 : planSquares(this.#layout, 1, isFrozen).count;
    const spins = workers > 1 && workers <= availableParallelism();
    this.#data = {
      model,
      recipe,
      seed,
      workers,
      spins,
      normalization: { mean: dataset.mean, std: dataset.std },
      splits: { train: dataset.train, validation: dataset.validation, test: dataset.test },
      arena: allocateAligned(this.#memory.floats),
      control: Control.allocate(workers),
      order: new Int32Array(new SharedArrayBuffer(dataset.train.count * 4)),
      results: new Float32Array(new SharedArrayBuffer(this.#epochSteps * 8)),
      stopAt: new Int32Array(new SharedArrayBuffer(4)),
      squareSums: new Float64Array(new SharedArrayBuffer(8 * squareCount)),
      waits: options.waits,
    };
    this.#control = new Control(this.#data.control, workers, spins);
    const initial = options.initial ?? {
      parameters: initialParameters(layers, seed),
      buffers: initialBuffers(layers),
    };
    const packed = new Float32Array(this.#layout.length);
    packState(this.#layout, initial, packed);
    this.#writeVersions((version) => this.#memory.stateAt(version), packed);
    this.#writeVersions((version) => this.#memory.averageAt(version), packed);
    this.#pool = new Piscina<NodeTask, void>({
      filename: new URL('./worker-thread.js', import.meta.url).href,
      minThreads: workers,
      maxThreads: workers,
      workerData: this.#data,
      idleTimeout: Number.POSITIVE_INFINITY,
    });
    // A thread that dies without a task harms nothing: Piscina has put another in its place.
    this.#pool.on('error', () => {});
  }

  #vector(unit: number): Float32Array {
    return this.#data.arena.subarray(unit * 16, unit * 16 + this.#layout.length);
  }

  /** Into both versions: what is frozen is never written again, and must be the same in both. */
  #writeVersions(at: (version: number) => number, values: Float32Array): void {
    for (const version of [0, 1]) this.#vector(at(version)).set(values);
  }

  async train(segment: SegmentPlan): Promise<SegmentProgress> {
    const { seed, dataset } = this.options;
    this.#segment = segment;
    if (this.#epoch !== segment.epoch) epochOrder(seed, segment.epoch, dataset.train.count, this.#data.order);
    this.#epoch = segment.epoch;
    this.#data.stopAt[0] = -1;
    this.#control.begin(segment.firstStep);
    let losses = 0;
    for (let from = segment.firstStep; from < segment.endStep; from = this.#control.committed) {
      const lost = await this.#attempt(from, segment.endStep);
      if (lost === undefined) break;
      losses = this.#control.committed > from ? 1 : losses + 1;
      this.#reportLoss(lost, losses);
    }
    return this.progress();
  }

  /** Runs steps until they are done, stopped, or a worker is lost; then everybody is back. */
  async #attempt(firstStep: number, endStep: number): Promise<Error | undefined> {
    const isStopping = this.#control.isStopping;
    this.#control.begin(firstStep);
    if (isStopping) this.#control.stop();
    const lost = await this.#runTasks((worker) => ({ kind: 'train', worker, firstStep, endStep }));
    if (this.#control.aborted === abortReason.notFinite) throw this.#notFinite();
    return lost;
  }

  /** Runs one task per worker. When it resolves nobody is in a task any more; with why a worker was lost, if one was. */
  async #runTasks(taskOf: (worker: number) => NodeTask): Promise<Error | undefined> {
    const threads = this.#pool.threads;
    const aborts = Array.from({ length: this.workers }, () => new AbortController());
    const watch = new StallWatch(this.#control, this.workers, (worker, stoodMs) =>
      aborts[worker]?.abort(new Error(`worker ${worker} did not move for ${(stoodMs / 1000).toFixed(1)} s`)),
    );
    let lost: Error | undefined;
    const tasks = aborts.map(async ({ signal }, worker) => {
      try {
        await this.#pool.run(taskOf(worker), { signal });
      } catch (error) {
        lost ??= (signal.aborted ? signal.reason : error) as Error;
        this.#control.abort(abortReason.workerLost);
      }
    });
    await Promise.all(tasks);
    watch.end();
    const gone = threads.filter((thread) => !this.#pool.threads.includes(thread));
    await Promise.all(gone.map(awaitExit));
    return lost;
  }

  #reportLoss(lost: Error, losses: number): void {
    const step = this.#control.committed;
    if (losses > MAX_LOSSES) {
      throw new LockstepError(
        'LOCKSTEP_WORKER_LOST',
        `workers were lost ${losses} times in a row at step ${step}: ${lost.message}. Report this with the output of LOCKSTEP_DEBUG=1.`,
        { cause: lost },
      );
    }
    this.options.onWarning?.({
      code: 'LOCKSTEP_WORKER_REPLACED',
      message: `a worker was lost at step ${step} (${lost.message}); it was replaced and its shards are computed again. The result is not affected.`,
    });
  }

  #notFinite(): LockstepError {
    const step = this.#control.committed;
    return new LockstepError(
      'LOCKSTEP_LOSS_NOT_FINITE',
      `the loss of step ${step} (epoch ${this.#segment.epoch + 1}) is not a finite number. Try a lower --learning-rate, or --warmup-steps.`,
    );
  }

  progress(): SegmentProgress {
    const { recipe, dataset } = this.options;
    const committed = this.#control.committed;
    const steps = committed - this.#segment.epoch * this.#epochSteps;
    const { results } = this.#data;
    let lossSum = 0;
    let correct = 0;
    for (let step = 0; step < steps; step++) {
      lossSum += results[2 * step] as number;
      correct += results[2 * step + 1] as number;
    }
    const count = dataset.train.count;
    const samples = Math.min(count, steps * recipe.batchSize);
    const last =
      steps > 0 ? (results[2 * (steps - 1)] as number) / samplesInStep(steps - 1, count, recipe.batchSize) : 0;
    return { committed, stepLoss: last, lossSum, correct, samples };
  }

  stop(): void {
    this.#control.stop();
  }

  async evaluate(split: SplitName, options: EvaluateOptions = {}): Promise<EvaluatedSplit> {
    const { count } = this.#data.splits[split];
    const shards = shardCount(count, this.options.recipe.shardSize);
    const results = new Float32Array(new SharedArrayBuffer(8 * (count + shards)));
    const step = this.#control.committed;
    const logits = options.logits ? this.#allocateLogits(count) : undefined;
    const ofAverage = options.average === true;
    assert(!ofAverage || this.#memory.hasAverage, () => 'the recipe keeps no moving average to evaluate');
    const task = { kind: 'evaluate', step, split, ofAverage, shards, chunkShards: CHUNK_SHARDS, results, logits } as const;
    for (let losses = 1; ; losses++) {
      this.#control.begin(step);
      const lost = await this.#runTasks((worker) => ({ ...task, worker }));
      if (lost === undefined) break;
      this.#reportLoss(lost, losses);
    }
    let lossSum = 0;
    let correct = 0;
    for (let shard = 0; shard < shards; shard++) {
      lossSum += results[2 * (count + shard)] as number;
      correct += results[2 * (count + shard) + 1] as number;
    }
    const predictions = results.subarray(0, 2 * count);
    return { loss: lossSum / count, accuracy: correct / count, correct, total: count, predictions, logits };
  }

  #allocateLogits(count: number): Float32Array {
    return new Float32Array(new SharedArrayBuffer(4 * count * this.options.model.classes));
  }

  readState(): ModelState {
    return unpackState(this.#layout, this.#vector(this.#memory.stateAt(this.#control.committed % 2)));
  }

  readAverage(): ModelState | undefined {
    if (!this.#memory.hasAverage) return undefined;
    return unpackState(this.#layout, this.#vector(this.#memory.averageAt(this.#control.committed % 2)));
  }

  readSnapshot(): NodeSnapshot {
    const step = this.#control.committed;
    const version = step % 2;
    const copy = (unit: number): Float32Array => Float32Array.from(this.#vector(unit));
    return {
      step,
      state: copy(this.#memory.stateAt(version)),
      slots: this.#slots.map((slot) => copy(this.#memory.slotAt(slot, version))),
      ...(this.#memory.hasAverage && { average: copy(this.#memory.averageAt(version)) }),
      results: Float32Array.from(this.#data.results.subarray(0, 2 * (step % this.#epochSteps))),
    };
  }

  restore({ step, state, slots, average, results }: NodeSnapshot): void {
    const { length } = this.#layout;
    for (const vector of [state, ...slots, average ?? state]) {
      assert(vector.length === length, () => `a vector of ${vector.length} floats, the layout has ${length}`);
    }
    assert(
      slots.length === this.#slots.length,
      () => `${slots.length} optimizer slots, expected ${this.#slots.length}`,
    );
    this.#writeVersions((version) => this.#memory.stateAt(version), state);
    for (const slot of this.#slots) {
      this.#writeVersions((version) => this.#memory.slotAt(slot, version), slots[slot - 1] as Float32Array);
    }
    if (this.#memory.hasAverage) this.#writeVersions((version) => this.#memory.averageAt(version), average ?? state);
    this.#data.results.set(results);
    this.#segment = { epoch: Math.floor(step / this.#epochSteps), firstStep: step, endStep: step };
    this.#control.begin(step);
  }

  get #slots(): (1 | 2)[] {
    return ([1, 2] as const).filter((slot) => slot <= this.#memory.slotCount);
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

/**
 * A thread that was sent away may still be in a kernel for a moment, and write into the arena: nothing may go on before
 * it has ended.
 */
async function awaitExit(thread: Worker): Promise<void> {
  if (thread.threadId !== NO_THREAD) await once(thread, 'exit');
}
