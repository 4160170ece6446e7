/** Notices when a node's tasks stand still, and says which workers the others are waiting for. */
import type { Control } from './control.js';

const POLL_MS = 250;
/** Nobody may stand still for longer than this many times the slowest barrier or chunk so far, */
const PATIENCE = 20;
/** but for at least this long; also while threads are still starting. */
const LEAST_MS = 30_000;
/** and for this long for each of its samples: a step of a large batch may be one of an hour. */
const SAMPLE_MS = 62.5;

export class StallWatch {
  readonly #timer: NodeJS.Timeout;
  /** Instead of the limit worked out from the run's own pace, once all threads have begun: for tests. */
  readonly #fixedMs = Number(process.env['LOCKSTEP_STALL_MS'] ?? Number.NaN);
  #reached: number[];
  #since = performance.now();
  #slowestMs = 0;

  /**
   * @param onStall called with each worker that the others wait for, and how long nothing has moved
   * @param samples of one worker in a step, at the most
   */
  constructor(
    private readonly control: Control,
    private readonly workers: number,
    private readonly onStall: (worker: number, stoodMs: number) => void,
    private readonly samples = 0,
  ) {
    this.#reached = this.#read();
    this.#timer = setInterval(() => this.#poll(), Math.min(POLL_MS, this.#fixedMs || POLL_MS));
    this.#timer.unref();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #read(): number[] {
    return Array.from({ length: this.workers }, (_, worker) => this.control.reachedBy(worker));
  }

  #poll(): void {
    const now = performance.now();
    const reached = this.#read();
    const stoodMs = now - this.#since;
    const moves = reached.reduce((sum, marks, worker) => sum + marks - (this.#reached[worker] as number), 0);
    if (moves > 0) {
      this.#slowestMs = Math.max(this.#slowestMs, (stoodMs * this.workers) / moves);
      this.#reached = reached;
      this.#since = now;
    } else if (stoodMs >= this.#limitMs(reached)) {
      for (const worker of findLate(reached)) this.onStall(worker, stoodMs);
      this.#since = now;
    }
  }

  #limitMs(reached: readonly number[]): number {
    const isStarting = reached.includes(0);
    if (!isStarting && this.#fixedMs > 0) return this.#fixedMs;
    return Math.max(LEAST_MS, SAMPLE_MS * this.samples, PATIENCE * this.#slowestMs);
  }
}

/** The workers behind the one that has come furthest; all of them when none is: then nobody can be told apart. */
export function findLate(reached: readonly number[]): number[] {
  const workers = [...reached.keys()];
  const furthest = Math.max(...reached);
  const late = workers.filter((worker) => (reached[worker] as number) < furthest);
  return late.length > 0 ? late : workers;
}
