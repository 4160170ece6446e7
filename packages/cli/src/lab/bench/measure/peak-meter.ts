/** Measures the multiply-adds that cores can do, alone and together: the yardstick of every share of peak. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { findUsableCores } from '@lockstep/core/machine';
import { findIsa, type Isa, type KernelChoice, loadKernels } from '@lockstep/kernels';
import { median } from './statistics.js';

export interface PeakThreadData {
  /** [0]: threads that are ready for the burst. */
  readonly arrived: Int32Array;
  readonly thread: number;
  /** The build of the kernels. */
  readonly isa: Isa;
}

export interface PeakTask {
  readonly iterations: number;
  /** Threads that start at once. */
  readonly together: number;
  /** [thread][begin in ns, end in ns, GFLOP/s]. */
  readonly results: Float64Array;
}

const BURST_MS = 1;
const BURSTS = 3;
const TRIAL_ITERATIONS = 20_000;

export class PeakMeter {
  readonly #arrived = new Int32Array(new SharedArrayBuffer(4));
  readonly #results: Float64Array;
  readonly #threads: Worker[];
  readonly #isa: Isa;
  #iterations = 0;
  #turn = 0;

  /**
   * @param workers the most workers whose joint peak is asked for; more than there are cores share the cores' peak
   * @param choice of the kernels whose multiply-adds they are
   */
  constructor(
    workers: number,
    private readonly cores = findUsableCores().count,
    choice?: KernelChoice,
  ) {
    const isa = findIsa(choice);
    this.#isa = isa;
    const count = Math.min(workers, cores);
    this.#results = new Float64Array(new SharedArrayBuffer(8 * 3 * count));
    this.#threads = Array.from({ length: count }, (_, thread) => {
      const workerData: PeakThreadData = { arrived: this.#arrived, thread, isa };
      return new Worker(new URL('./peak-thread.js', import.meta.url), { workerData });
    });
  }

  /** GFLOP/s of so many threads at once: the median of three bursts of about 1 ms. */
  async measure(workers: number): Promise<number> {
    const together = Math.min(workers, this.cores);
    this.#iterations ||= fitIterations(this.#isa);
    const bursts: number[] = [];
    for (let burst = 0; burst < BURSTS; burst++) bursts.push(await this.#burst(together));
    return median(bursts);
  }

  async #burst(together: number): Promise<number> {
    // In turn, so that one core is not taken for all.
    const first = this.#turn++;
    const chosen = Array.from({ length: together }, (_, i) => (first + i) % this.#threads.length);
    Atomics.store(this.#arrived, 0, 0);
    const task: PeakTask = { iterations: this.#iterations, together, results: this.#results };
    await Promise.all(
      chosen.map(async (index) => {
        const thread = this.#threads[index] as Worker;
        thread.postMessage(task);
        await once(thread, 'message');
      }),
    );
    return jointRate(chosen.map((thread) => [...this.#results.subarray(3 * thread, 3 * thread + 3)]));
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }
}

function fitIterations(isa: Isa): number {
  const kernels = loadKernels(isa);
  kernels.fmaPeak(TRIAL_ITERATIONS);
  const began = performance.now();
  kernels.fmaPeak(TRIAL_ITERATIONS);
  return Math.max(1, Math.round((TRIAL_ITERATIONS * BURST_MS) / (performance.now() - began)));
}

/**
 * GFLOP/s of threads together: all their work over the time from the first begin to the last end, so that threads which
 * ran one after the other are not taken for a faster machine.
 *
 * @param bursts of each thread [begin in ns, end in ns, GFLOP/s]
 */
export function jointRate(bursts: readonly (readonly number[])[]): number {
  const gigaflop = bursts.reduce((sum, [begin = 0, end = 0, rate = 0]) => sum + rate * (end - begin), 0);
  const begin = Math.min(...bursts.map((burst) => burst[0] as number));
  const end = Math.max(...bursts.map((burst) => burst[1] as number));
  return gigaflop / (end - begin);
}
