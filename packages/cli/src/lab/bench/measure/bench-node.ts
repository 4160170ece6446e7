/** A node whose training and evaluation are run in pieces, against a clock. */

import { stepsPerEpoch } from '@lockstep/core/run';
import type { EngineName, KernelChoice } from '@lockstep/core/seams';
import { LocalNode } from '@lockstep/worker/node';
import type { WorkerTotals } from '@lockstep/worker/threads';
import { BENCH_BATCH, BENCH_SEED, type Workload } from './workload.js';

export interface NodeOptions {
  readonly engine?: EngineName;
  readonly kernels?: KernelChoice | undefined;
  /** Whether to note where the time of steps goes. */
  readonly isTimed?: boolean;
}

export class BenchNode {
  readonly workers: number;
  readonly #node: LocalNode;
  readonly #epochSteps: number;
  readonly #testCount: number;
  #step = 0;
  #stepsAtOnce = 0;
  #evaluationsAtOnce = 0;

  constructor({ model, recipe, dataset }: Workload, workers: number, options: NodeOptions = {}) {
    const { engine = 'native', kernels, isTimed } = options;
    this.workers = workers;
    this.#epochSteps = stepsPerEpoch(dataset.train.count, recipe.batchSize);
    this.#testCount = dataset.test.count;
    this.#node = new LocalNode({ model, recipe, dataset, workers, seed: BENCH_SEED, engine, kernels, isTimed });
  }

  /** Trains so many steps, over the ends of epochs. */
  async trainSteps(steps: number): Promise<void> {
    for (const endStep = this.#step + steps; this.#step < endStep; ) {
      const epoch = Math.floor(this.#step / this.#epochSteps);
      const end = Math.min(endStep, (epoch + 1) * this.#epochSteps);
      await this.#node.train({ epoch, firstStep: this.#step, endStep: end });
      this.#step = end;
    }
  }

  /** [worker] where the time of all steps so far went; for a node that is timed. */
  readTotals(): WorkerTotals[] {
    return this.#node.readTotals();
  }

  /** Finds out how much work takes about so many seconds. Doubles as a warm-up. */
  async warmUp(seconds: number): Promise<void> {
    this.#stepsAtOnce = await fitCount(seconds, (steps) => this.trainSteps(steps));
    this.#evaluationsAtOnce = await fitCount(seconds, (times) => this.evaluate(times));
  }

  /** Images/s of training, after `warmUp`. */
  async measureTraining(): Promise<number> {
    const seconds = await timeSeconds(() => this.trainSteps(this.#stepsAtOnce));
    return (this.#stepsAtOnce * BENCH_BATCH) / seconds;
  }

  /** Images/s of evaluation, after `warmUp`. */
  async measureInference(): Promise<number> {
    const seconds = await timeSeconds(() => this.evaluate(this.#evaluationsAtOnce));
    return (this.#evaluationsAtOnce * this.#testCount) / seconds;
  }

  /** Evaluates the test images so many times. */
  async evaluate(times: number): Promise<void> {
    for (let i = 0; i < times; i++) await this.#node.evaluate('test');
  }

  async close(): Promise<void> {
    await this.#node.close();
  }
}

export async function timeSeconds(work: () => Promise<void>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return (performance.now() - beganMs) / 1000;
}

/** How often to repeat something for it to take about so many seconds; at least once. Tries a quarter of that. */
export async function fitCount(seconds: number, work: (count: number) => Promise<void>): Promise<number> {
  await work(1);
  for (let count = 1; ; ) {
    const took = await timeSeconds(() => work(count));
    if (took >= seconds / 4) return Math.max(1, Math.round((count * seconds) / took));
    count = Math.max(2 * count, Math.ceil((count * seconds) / 3 / Math.max(took, 1e-3)));
  }
}
