/**
 * The node in this process: an arena, a Piscina pool of workers over it, and what to do when one of them is lost.
 *
 * A segment is one task per worker. When a worker throws, exits or stalls, everybody is sent back, Piscina replaces the
 * thread, and the segment goes on from the last committed step: the same shards, computed again, give the same bits.
 */

import { assert } from '@lockstep/core/errors';
import type { StepTimes } from '@lockstep/core/events';
import { findUsableCores } from '@lockstep/core/machine';
import { inferLayers } from '@lockstep/core/model';
import {
  epochOrder,
  type ModelState,
  planContribution,
  planFreeze,
  type Region,
  stepsPerEpoch,
} from '@lockstep/core/run';
import {
  COORDINATOR_ID,
  divergedError,
  type EvaluatedSplit,
  type EvaluateOptions,
  type NodeSnapshot,
  type RunFields,
  type RunIdentity,
  type SegmentPlan,
  type SegmentProgress,
  type SharingNode,
  type SplitName,
  type StepHooks,
} from '@lockstep/core/seams';
import type { Link } from '@lockstep/core/wire';
import { Participant } from '../exchange/participant.js';
import { maxPartials, planMemory } from '../plan/memory-plan.js';
import { isKept, planSquares } from '../plan/step-plan.js';
import { CommandBlock } from '../threads/commands.js';
import { abortReason, Control } from '../threads/control.js';
import { reportLoss } from '../threads/lost-workers.js';
import { allocateStepClock, StepClockReader, type WorkerTotals } from '../threads/step-clock.js';
import type { LostWorker, NodeThreads, SharedParts } from '../threads/step-workers.js';
import type { NodeWorkerData } from '../threads/thread-messages.js';
import { initialSnapshot, packInitial, seedState } from './initial-snapshot.js';
import { readMeanGradient } from './mean-gradient.js';
import { allocateNodeMemory } from './node-memory.js';
import { openThreads, type ThreadOptions } from './open-threads.js';
import { prepareEngine } from './prepare-engine.js';
import { Replica } from './replica.js';
import { sumProgress } from './segment-progress.js';
import { planEvaluation, sumEvaluation } from './split-evaluation.js';

export interface LocalNodeOptions
  extends RunIdentity,
    Pick<RunFields, 'workers'>,
    Partial<Pick<RunFields, 'engine' | 'kernels'>>,
    ThreadOptions {
  /** Instead of the seed's initial weights. */
  readonly initial?: ModelState | undefined;
  /** Whether to note where the time of steps goes. */
  readonly isTimed?: boolean | undefined;
  /** Whether the node may share its steps with others. */
  readonly isSharing?: boolean | undefined;
  /** Is told of each part that the node takes in shared steps. */
  readonly onShare?: ((participant: Participant) => void) | undefined;
}

export class LocalNode implements SharingNode {
  readonly workers: number;
  #engine: string;
  readonly #data: NodeWorkerData;
  readonly #layout;
  readonly #memory;
  readonly #isFrozen: (region: Region) => boolean;
  readonly #control: Control;
  readonly #replica: Replica;
  readonly #threads: NodeThreads;
  readonly #epochSteps: number;
  readonly #clock: StepClockReader | undefined;
  /** Whether the last step was run here, or with others; undefined: no contributions of it are left. */
  #lastStep: 'alone' | 'shared' | undefined;
  #isTraining = false;
  #isStopped = false;
  #epoch = -1;
  #segment: SegmentPlan = { epoch: 0, firstStep: 0, endStep: 0 };

  constructor(private readonly options: LocalNodeOptions) {
    const { model, recipe, dataset, seed, workers } = options;
    const layers = inferLayers(model);
    this.workers = workers;
    this.#engine = prepareEngine(options.engine ?? 'native', options.kernels);
    this.#layout = planContribution(layers);
    const partials = options.isSharing ? maxPartials(recipe) : 0;
    this.#memory = planMemory(this.#layout, recipe, workers, partials);
    this.#epochSteps = stepsPerEpoch(dataset.train.count, recipe.batchSize);
    const freeze = planFreeze(layers, recipe.freeze);
    this.#isFrozen = (region) => isKept(region, layers, freeze);
    const squareCount = recipe.clipNorm === undefined ? 0 : planSquares(this.#layout, 1, this.#isFrozen).count;
    const spins = workers > 1 && workers <= findUsableCores().count;
    this.#data = {
      model,
      recipe,
      seed,
      workers,
      engine: options.engine ?? 'native',
      spins,
      normalization: { mean: dataset.mean, std: dataset.std },
      ...allocateNodeMemory(dataset, this.#memory, workers, options.kernels),
      control: Control.allocate(workers),
      results: new Float32Array(new SharedArrayBuffer(this.#epochSteps * 8)),
      stopAt: new Int32Array(new SharedArrayBuffer(4)),
      partials,
      commands: CommandBlock.allocate(partials + workers * this.#memory.partialsPerWorker),
      squareSums: new Float64Array(new SharedArrayBuffer(8 * squareCount)),
      clock: options.isTimed ? allocateStepClock(workers) : undefined,
    };
    this.#control = new Control(this.#data.control, workers, spins);
    this.#clock = this.#data.clock && new StepClockReader(this.#data.clock);
    this.#replica = new Replica(this.#layout, this.#memory, this.#data.arena);
    this.#replica.begin(this.#packInitial());
    this.#threads = openThreads(options, this.#data, this.#control, (name) => {
      this.#engine = name;
    });
  }

  /** What computes now, for people. */
  get engine(): string {
    return this.#engine;
  }

  async train(segment: SegmentPlan): Promise<SegmentProgress> {
    this.#segment = segment;
    this.#prepareEpoch(segment.epoch);
    this.#isStopped = false;
    this.#control.begin(segment.firstStep);
    this.#isTraining = true;
    try {
      await this.#runSteps(segment);
    } finally {
      this.#isTraining = false;
    }
    this.#lastStep = 'alone';
    return this.progress();
  }

  async #runSteps({ firstStep, endStep }: SegmentPlan): Promise<void> {
    let losses = 0;
    for (let from = firstStep; from < endStep; from = this.#control.committed) {
      const lost = await this.#attempt(from, endStep);
      if (this.#isStopped && lost === undefined) break;
      // the threads have gone over to other kernels
      if (lost === undefined) continue;
      losses = this.#control.committed > from ? 1 : losses + 1;
      this.#reportLoss(lost, losses);
    }
  }

  #prepareEpoch(epoch: number): void {
    const { seed, dataset } = this.options;
    if (this.#epoch !== epoch) epochOrder(seed, epoch, dataset.train.count, this.#data.order);
    this.#epoch = epoch;
  }

  share(me: number, linkTo: (node: number) => Link | undefined, hooks: StepHooks): Participant {
    assert(this.#data.partials > 0, () => 'the node has no memory to share its steps');
    const { regions } = this.#layout;
    const parts: SharedParts = {
      data: this.#data,
      layout: this.#layout,
      memory: this.#memory,
      control: this.#control,
      workers: this.#threads.command((lost, losses) => this.#reportLoss(lost, losses)),
      prepareEpoch: (epoch) => this.#prepareEpoch(epoch),
      isFrozenAt: (offset) =>
        regions.some((s) => offset >= s.offset && offset < s.offset + s.size && this.#isFrozen(s)),
    };
    const participant = new Participant(parts, me, linkTo, hooks);
    this.options.onShare?.(participant);
    return participant;
  }

  async selfTest(): Promise<string> {
    const participant = this.share(COORDINATOR_ID, () => undefined, { onContributed: () => {}, onFault: () => {} });
    try {
      // the seed's initial state, whatever the node started from
      const state = seedState(inferLayers(this.options.model), this.options.seed);
      return await participant.selfTest(packInitial(this.#layout, state));
    } finally {
      await participant.close();
    }
  }

  initialSnapshot(): NodeSnapshot {
    return initialSnapshot(this.#packInitial(), this.options.recipe);
  }

  #packInitial(): Float32Array {
    const { model, seed, initial } = this.options;
    return packInitial(this.#layout, initial ?? seedState(inferLayers(model), seed));
  }

  beginShared(segment: SegmentPlan): void {
    this.#segment = segment;
    this.#control.commit(segment.firstStep);
  }

  commit(steps: number, lossSum: number, correct: number): void {
    const at = 2 * ((steps - 1) % this.#epochSteps);
    this.#data.results[at] = lossSum;
    this.#data.results[at + 1] = correct;
    this.#control.commit(steps);
    this.#lastStep = 'shared';
  }

  /** Runs steps until they are done, stopped, or a worker is lost; then everybody is back. */
  async #attempt(firstStep: number, endStep: number): Promise<LostWorker | undefined> {
    this.#control.begin(firstStep);
    this.#data.stopAt[0] = -1;
    if (this.#isStopped) this.#control.stop();
    const lost = await this.#threads.run((worker) => ({ kind: 'train', worker, firstStep, endStep }));
    if (this.#control.aborted === abortReason.notFinite) {
      throw divergedError(`the loss of step ${this.#control.committed}`, this.#segment.epoch);
    }
    return lost;
  }

  #reportLoss(lost: LostWorker, losses: number): void {
    reportLoss(lost, losses, this.#control.committed, this.options.onWarning);
  }

  progress(): SegmentProgress {
    const committed = this.#control.committed;
    const steps = committed - this.#segment.epoch * this.#epochSteps;
    return sumProgress(this.#data.results, committed, steps, this.options);
  }

  stop(): void {
    this.#isStopped = true;
    this.#control.stop();
  }

  async evaluate(split: SplitName, options: EvaluateOptions = {}): Promise<EvaluatedSplit> {
    const { recipe, model } = this.options;
    const { count } = this.#data.splits[split];
    const ofAverage = options.average === true;
    assert(!ofAverage || this.#memory.hasAverage, () => 'the recipe keeps no moving average to evaluate');
    const logitClasses = options.logits ? model.classes : undefined;
    const step = this.#control.committed;
    const task = planEvaluation({ split, count, shardSize: recipe.shardSize, ofAverage, logitClasses }, step);
    for (let losses = 1; ; losses++) {
      this.#control.begin(step);
      const lost = await this.#threads.run((worker) => ({ ...task, worker }));
      if (lost === undefined) break;
      this.#reportLoss(lost, losses);
    }
    return sumEvaluation(task, count);
  }

  readState(): ModelState {
    return this.#replica.readState(this.#control.committed);
  }

  readAverage(): ModelState | undefined {
    return this.#replica.readAverage(this.#control.committed);
  }

  readGradient(): Float32Array[] | undefined {
    if (this.#isTraining || this.#lastStep === undefined) return undefined;
    return readMeanGradient(this.#data, this.#control.committed - 1, this.#lastStep === 'shared');
  }

  takeSteps(): StepTimes[] {
    return this.#clock?.take() ?? [];
  }

  /** [worker] where the time of all steps went; for a node that is timed. */
  readTotals(): WorkerTotals[] {
    return this.#clock?.totals() ?? [];
  }

  readSnapshot(): NodeSnapshot {
    const step = this.#control.committed;
    const results = Float32Array.from(this.#data.results.subarray(0, 2 * (step % this.#epochSteps)));
    return { ...this.#replica.read(step), results };
  }

  restore(snapshot: NodeSnapshot): void {
    const { step, results } = snapshot;
    this.#replica.restore(snapshot);
    this.#data.results.set(results);
    this.#lastStep = undefined;
    this.#segment = { epoch: Math.floor(step / this.#epochSteps), firstStep: step, endStep: step };
    this.#control.begin(step);
  }

  async close(): Promise<void> {
    await this.#threads.close();
  }
}
