/**
 * The node in this process: an arena, a Piscina pool of workers over it, and what to do when one of them is lost.
 *
 * A segment is one task per worker. When a worker throws, exits or stalls, everybody is sent back, Piscina replaces the
 * thread, and the segment goes on from the last committed step: the same shards, computed again, give the same bits.
 */
import { availableParallelism } from 'node:os';
import {
  type Dataset,
  epochOrder,
  type EvaluatedSplit,
  inferLayers,
  initialBuffers,
  initialParameters,
  LockstepError,
  type ModelSpec,
  type ModelState,
  type OnWarning,
  packState,
  planContribution,
  type Recipe,
  samplesInStep,
  type SegmentPlan,
  type SegmentProgress,
  type SplitName,
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

export interface LocalNodeOptions {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly dataset: Dataset;
  readonly seed: number;
  readonly workers: number;
  /** Instead of the seed's initial weights. */
  readonly initial?: ModelState | undefined;
  readonly onWarning?: OnWarning | undefined;
}

/** Workers lost without a step in between before the run is given up. */
const MAX_LOSSES = 3;
/** Shards that a worker takes from an evaluation at a time. */
const CHUNK_SHARDS = 16;

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
    };
    this.#control = new Control(this.#data.control, workers, spins);
    const initial = options.initial ?? {
      parameters: initialParameters(layers, seed),
      buffers: initialBuffers(layers),
    };
    packState(this.#layout, initial, this.#vector(this.#memory.stateAt(0)));
    this.#pool = new Piscina<NodeTask, void>({
      filename: new URL('./worker-thread.js', import.meta.url).href,
      minThreads: workers,
      maxThreads: workers,
      workerData: this.#data,
      idleTimeout: Number.POSITIVE_INFINITY,
    });
  }

  #vector(unit: number): Float32Array {
    return this.#data.arena.subarray(unit * 16, unit * 16 + this.#layout.length);
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
    const aborts = Array.from({ length: this.workers }, () => new AbortController());
    const watch = new StallWatch(this.#control, this.workers, (worker) => aborts[worker]?.abort());
    let lost: Error | undefined;
    const tasks = aborts.map(async ({ signal }, worker) => {
      try {
        await this.#pool.run({ kind: 'train', worker, firstStep, endStep }, { signal });
      } catch (error) {
        lost ??= error instanceof Error ? error : new Error(String(error));
        this.#control.abort(abortReason.workerLost);
      }
    });
    await Promise.all(tasks);
    watch.end();
    if (this.#control.aborted === abortReason.notFinite) throw this.#notFinite();
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
    const last = steps > 0 ? (results[2 * (steps - 1)] as number) / samplesInStep(steps - 1, count, recipe.batchSize) : 0;
    return { committed, stepLoss: last, lossSum, correct, samples };
  }

  stop(): void {
    this.#control.stop();
  }

  async evaluate(split: SplitName): Promise<EvaluatedSplit> {
    const { count } = this.#data.splits[split];
    const shards = shardCount(count, this.options.recipe.shardSize);
    const results = new Float32Array(new SharedArrayBuffer(8 * (count + shards)));
    const version = this.#control.committed % 2;
    this.#control.begin(this.#control.committed);
    const task = { kind: 'evaluate', split, version, shards, chunkShards: CHUNK_SHARDS, results } as const;
    await Promise.all(Array.from({ length: this.workers }, () => this.#pool.run(task)));
    let lossSum = 0;
    let correct = 0;
    for (let shard = 0; shard < shards; shard++) {
      lossSum += results[2 * (count + shard)] as number;
      correct += results[2 * (count + shard) + 1] as number;
    }
    return { loss: lossSum / count, accuracy: correct / count, correct, total: count, predictions: results.subarray(0, 2 * count) };
  }

  readState(): ModelState {
    return unpackState(this.#layout, this.#vector(this.#memory.stateAt(this.#control.committed % 2)));
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
