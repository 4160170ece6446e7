/** Notices when a worker of a node stands still: it does not wait for others, and its count of what it has done stays as it was. */
import { ALIGNMENT } from '@lockstep/core/run';
import { type Control, LEFT } from './control.js';

const POLL_MS = 250;
/** Nobody may stand still for longer than this many times the slowest piece of work so far, */
const PATIENCE = 20;
/** but for at least this long; also while threads are still starting. */
const LEAST_MS = 30_000;
/** and for this long for each sample that is computed at once. */
const SAMPLE_MS = 62.5;

/** Where a worker was seen last. */
interface Place {
  /** As `Control.reachedBy` says. */
  readonly reached: number;
  /** What its count of work done was. */
  readonly done: number;
  sinceMs: number;
}

const isWorking = ({ reached }: Place): boolean => reached !== LEFT && (reached === 0 || reached % 2 === 1);

export class StallWatch {
  readonly #timer: NodeJS.Timeout;
  /** Instead of the limit worked out from the run's own pace, once all threads have begun: for tests. */
  readonly #fixedMs = Number(process.env['LOCKSTEP_STALL_MS'] ?? Number.NaN);
  #places: Place[];
  #slowestMs = 0;

  /**
   * @param progress [worker] every `ALIGNMENT` words: its count of work done; see `viewProgress`
   * @param onStall called with each worker that the others wait for, and how long it has not moved
   * @param samples computed between two of a worker's counts, at the most
   */
  constructor(
    private readonly control: Control,
    private readonly progress: Uint32Array,
    private readonly onStall: (worker: number, stoodMs: number) => void,
    private readonly samples = 0,
  ) {
    this.#places = this.#look(performance.now());
    this.#timer = setInterval(() => this.#poll(), Math.min(POLL_MS, this.#fixedMs || POLL_MS));
    this.#timer.unref();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #look(sinceMs: number): Place[] {
    return Array.from({ length: this.progress.length / ALIGNMENT }, (_, worker) => ({
      reached: this.control.reachedBy(worker),
      done: Atomics.load(this.progress, worker * ALIGNMENT),
      sinceMs,
    }));
  }

  #poll(): void {
    const now = performance.now();
    this.#places = this.#look(now).map((place, worker) => this.#compare(this.#places[worker] as Place, place));
    const limitMs = this.#limitMs();
    for (const worker of findLate(this.#places, now - limitMs)) {
      const place = this.#places[worker] as Place;
      this.onStall(worker, now - place.sinceMs);
      place.sinceMs = now;
    }
  }

  /** @returns where a worker is: since before, if it has not moved */
  #compare(before: Place, place: Place): Place {
    const moves = place.reached - before.reached + ((place.done - before.done) >>> 0);
    if (moves === 0) return before;
    if (isWorking(before)) this.#slowestMs = Math.max(this.#slowestMs, (place.sinceMs - before.sinceMs) / moves);
    return place;
  }

  #limitMs(): number {
    const isStarting = this.#places.some(({ reached }) => reached === 0);
    if (!isStarting && this.#fixedMs > 0) return this.#fixedMs;
    return Math.max(LEAST_MS, SAMPLE_MS * this.samples, PATIENCE * this.#slowestMs);
  }
}

/**
 * The workers that have not moved since a moment, of those that work: who waits for others is not late. Where nobody works
 * and some wait, all of these are: nobody is left to wake them.
 */
export function findLate(places: readonly Place[], beforeMs: number): number[] {
  const workers = [...places.keys()];
  const here = workers.filter((worker) => places[worker]?.reached !== LEFT);
  const working = here.filter((worker) => isWorking(places[worker] as Place));
  const stands = (worker: number): boolean => (places[worker] as Place).sinceMs <= beforeMs;
  if (working.length > 0) return working.filter(stands);
  return here.every(stands) ? here : [];
}
