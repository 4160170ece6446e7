/**
 * The control block: the words through which a node's threads walk in step, by Atomics alone. Nothing is posted and
 * nothing allocated between the steps of a segment.
 */

/** Int32 words. */
const word = {
  /** Threads that have arrived at the current barrier. */
  arrived: 0,
  /** Grows by one each time a barrier opens, or an abort wakes everybody. */
  generation: 1,
  /** Not 0: leave the segment at once, without a commit. */
  abort: 2,
  /** Steps of the run that are committed; the state of version `committed % 2` is the truth. */
  committed: 3,
  /** Not 0: leave the segment at the end of the step. */
  stop: 4,
  /** Next chunk of an evaluation. */
  chunk: 5,
  /** Injected faults that have happened, so that each happens as often as asked for. */
  faults: 6,
  /**
   * From here, for each worker: 0 until its task begins; then odd while it works, and even while it waits for others at a
   * barrier: more with each; `LEFT` at the end.
   */
  reached: 16,
} as const;

/** Why a segment was left without a commit. */
export const abortReason = { none: 0, workerLost: 1, notFinite: 2 } as const;

/** What stands in `reached` of a worker whose task has ended. */
export const LEFT = 0x7fff_ffff;

/** Loads of the generation before a thread sleeps; only when every thread has a core of its own. */
const SPINS = 400;

export class Control {
  constructor(
    readonly words: Int32Array<SharedArrayBuffer>,
    private readonly workers: number,
    /** Whether a waiting thread may spin for a moment. */
    private readonly spins: boolean,
  ) {}

  static allocate(workers: number): Int32Array<SharedArrayBuffer> {
    return new Int32Array(new SharedArrayBuffer((word.reached + workers) * 4));
  }

  // ---- main thread, between segments ----

  /** Prepares a segment that starts at a step; no thread may be in one. */
  begin(step: number): void {
    for (const index of [word.arrived, word.abort, word.stop, word.chunk]) Atomics.store(this.words, index, 0);
    for (let worker = 0; worker < this.workers; worker++) Atomics.store(this.words, word.reached + worker, 0);
    Atomics.store(this.words, word.committed, step);
  }

  /** Sends everybody back without a commit. */
  abort(reason: number): void {
    Atomics.compareExchange(this.words, word.abort, abortReason.none, reason);
    Atomics.add(this.words, word.generation, 1);
    Atomics.notify(this.words, word.generation);
  }

  get aborted(): number {
    return Atomics.load(this.words, word.abort);
  }

  /** A step that several nodes share is committed by the main thread. */
  commit(step: number): void {
    Atomics.store(this.words, word.committed, step);
  }

  get committed(): number {
    return Atomics.load(this.words, word.committed);
  }

  stop(): void {
    Atomics.store(this.words, word.stop, 1);
  }

  get isStopping(): boolean {
    return Atomics.load(this.words, word.stop) !== 0;
  }

  /** How far a worker has come: 0 before its task begins, odd while it works, even while it waits, `LEFT` when it has ended. */
  reachedBy(worker: number): number {
    return Atomics.load(this.words, word.reached + worker);
  }

  // ---- workers ----

  /** A task begins: from here on a worker that stands still is late. One that waits for commands says so again. */
  enter(worker: number, isAgain = false): void {
    if (isAgain) Atomics.add(this.words, word.reached + worker, 2);
    else Atomics.store(this.words, word.reached + worker, 1);
  }

  /** A task has ended in order. */
  leave(worker: number): void {
    Atomics.store(this.words, word.reached + worker, LEFT);
  }

  /**
   * Waits until every worker is here. The last to arrive commits, if a step is given, before anybody goes on: so a step
   * is either committed for all or for none, whoever dies around it.
   *
   * @param step commits this many steps; -1: none
   * @returns whether to go on; false after an abort
   */
  meet(worker: number, step: number): boolean {
    const { words } = this;
    // read before arriving: the last arrival may open the barrier at once
    const generation = Atomics.load(words, word.generation);
    if (Atomics.load(words, word.abort) !== 0) return false;
    Atomics.add(words, word.reached + worker, 1);
    if (Atomics.add(words, word.arrived, 1) === this.workers - 1) {
      if (Atomics.load(words, word.abort) !== 0) return false;
      if (step >= 0) Atomics.store(words, word.committed, step);
      Atomics.store(words, word.arrived, 0);
      Atomics.add(words, word.generation, 1);
      Atomics.notify(words, word.generation);
      Atomics.add(words, word.reached + worker, 1);
      return true;
    }
    if (this.spins) for (let i = 0; i < SPINS && Atomics.load(words, word.generation) === generation; i++);
    while (Atomics.load(words, word.generation) === generation) Atomics.wait(words, word.generation, generation);
    Atomics.add(words, word.reached + worker, 1);
    return Atomics.load(words, word.abort) === 0;
  }

  /** The next chunk of an evaluation, from 0; each is given out once. */
  takeChunk(worker: number): number {
    Atomics.add(this.words, word.reached + worker, 2);
    return Atomics.add(this.words, word.chunk, 1);
  }

  /** True for the first `times` callers of a run. */
  takeFault(times: number): boolean {
    return Atomics.add(this.words, word.faults, 1) < times;
  }
}
