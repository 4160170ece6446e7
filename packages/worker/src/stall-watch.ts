/** Notices when a segment stands still, and says which workers the others are waiting for. */
import type { Control } from './control.js';

const POLL_MS = 250;
/** A step may take this many times the slowest so far, */
const PATIENCE = 20;
/** but at least this long; the first step, which also starts threads, counts from here. */
const LEAST_MS = 30_000;

export class StallWatch {
  readonly #timer: NodeJS.Timeout;
  readonly #leastMs: number;
  #committed: number;
  #since = performance.now();
  #slowestMs = 0;

  /** @param onStall called with each worker that has not reached the barrier at which others wait */
  constructor(
    private readonly control: Control,
    private readonly workers: number,
    private readonly onStall: (worker: number) => void,
  ) {
    this.#leastMs = Number(process.env['LOCKSTEP_STALL_MS'] ?? LEAST_MS);
    this.#committed = control.committed;
    this.#timer = setInterval(() => this.#poll(), Math.min(POLL_MS, this.#leastMs));
    this.#timer.unref();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #poll(): void {
    const now = performance.now();
    const committed = this.control.committed;
    if (committed !== this.#committed) {
      this.#slowestMs = Math.max(this.#slowestMs, (now - this.#since) / (committed - this.#committed));
      this.#committed = committed;
      this.#since = now;
      return;
    }
    if (now - this.#since < Math.max(this.#leastMs, PATIENCE * this.#slowestMs)) return;
    const reached = Array.from({ length: this.workers }, (_, worker) => this.control.reachedBy(worker));
    const furthest = Math.max(...reached);
    // all equal: nobody waits for another, so nobody can be blamed but all
    const isLate = (barriers: number): boolean => barriers < furthest || reached.every((other) => other === furthest);
    reached.forEach((barriers, worker) => {
      if (isLate(barriers)) this.onStall(worker);
    });
    this.#since = now;
  }
}
