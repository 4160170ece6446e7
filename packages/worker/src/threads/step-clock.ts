/**
 * Where the time of steps goes, noted by the workers in shared memory: for each worker totals, and a ring of its last
 * steps that the main thread takes out while they go on. Only there when somebody asks for it; a step costs a worker five
 * looks at the clock.
 */
import type { StepTimes } from '@lockstep/core/events';

/** Points of a step, in the order in which a worker passes them. */
export const stepMark = { began: 0, contributed: 1, met: 2, updated: 3, committed: 4 } as const;

const MARKS = 5;
/** [step, then the marks in milliseconds]. */
const ROW = 1 + MARKS;
/** Steps of a worker that wait to be taken out. */
const CAPACITY = 1024;

/** Milliseconds of a worker over all its steps. */
export interface WorkerTotals {
  readonly steps: number;
  readonly contributeMs: number;
  /** At barriers, within and at the end of steps. */
  readonly waitMs: number;
  readonly updateMs: number;
}

/** [steps, contribute, wait, update]. */
const TOTALS = 4;

export interface StepClockMemory {
  /** [worker]: steps noted. */
  readonly counts: Int32Array<SharedArrayBuffer>;
  /** [worker][totals, then rows]. */
  readonly rows: Float64Array<SharedArrayBuffer>;
  /** One moment on the clock that all threads share and on the main thread's `performance.now()`. */
  readonly hrtimeMs: number;
  readonly mainMs: number;
}

const perWorker = TOTALS + CAPACITY * ROW;

const hrtimeMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** To be called on the main thread. */
export function allocateStepClock(workers: number): StepClockMemory {
  return {
    counts: new Int32Array(new SharedArrayBuffer(4 * workers)),
    rows: new Float64Array(new SharedArrayBuffer(8 * workers * perWorker)),
    hrtimeMs: hrtimeMs(),
    mainMs: performance.now(),
  };
}

/** A worker's side. */
export class StepClock {
  readonly #marks = new Float64Array(MARKS);
  /** From this thread's clock to the main thread's. */
  readonly #shiftMs: number;

  constructor(private readonly memory: StepClockMemory) {
    this.#shiftMs = memory.mainMs + (hrtimeMs() - memory.hrtimeMs) - performance.now();
  }

  mark(mark: number): void {
    this.#marks[mark] = performance.now() + this.#shiftMs;
  }

  /** Takes the step whose marks are all set into the books. */
  note(worker: number, step: number): void {
    const { counts, rows } = this.memory;
    const count = Atomics.load(counts, worker);
    const totals = worker * perWorker;
    const add = (index: number, value: number): void => {
      rows[totals + index] = (rows[totals + index] as number) + value;
    };
    add(0, 1);
    add(1, this.#span(stepMark.began, stepMark.contributed));
    add(2, this.#span(stepMark.contributed, stepMark.met) + this.#span(stepMark.updated, stepMark.committed));
    add(3, this.#span(stepMark.met, stepMark.updated));
    const at = totals + TOTALS + (count % CAPACITY) * ROW;
    rows[at] = step;
    rows.set(this.#marks, at + 1);
    Atomics.store(counts, worker, count + 1);
  }

  #span(from: number, to: number): number {
    return (this.#marks[to] as number) - (this.#marks[from] as number);
  }
}

/** The main thread's side. */
export class StepClockReader {
  readonly #taken: Int32Array;

  constructor(private readonly memory: StepClockMemory) {
    this.#taken = new Int32Array(memory.counts.length);
  }

  /** The steps noted since the last call, worker by worker; of too many, the newest. */
  take(): StepTimes[] {
    const times: StepTimes[] = [];
    for (let worker = 0; worker < this.#taken.length; worker++) this.#takeOf(worker, times);
    return times;
  }

  #takeOf(worker: number, into: StepTimes[]): void {
    const { counts } = this.memory;
    const count = Atomics.load(counts, worker);
    const first = Math.max(this.#taken[worker] as number, count - CAPACITY);
    const from = into.length;
    for (let index = first; index < count; index++) into.push(this.#read(worker, index));
    this.#taken[worker] = count;
    // the worker went on meanwhile: what it may have written over was no step
    const lost = Math.max(0, Atomics.load(counts, worker) + 1 - CAPACITY - first);
    if (lost > 0) into.splice(from, lost);
  }

  #read(worker: number, index: number): StepTimes {
    const at = worker * perWorker + TOTALS + (index % CAPACITY) * ROW;
    const markAt = (mark: number): number => this.memory.rows[at + 1 + mark] as number;
    return {
      node: 'coordinator',
      worker,
      step: this.memory.rows[at] as number,
      beganMs: markAt(stepMark.began),
      contributeMs: markAt(stepMark.contributed) - markAt(stepMark.began),
      waitMs: markAt(stepMark.met) - markAt(stepMark.contributed),
      exchangeMs: 0,
      updateMs: markAt(stepMark.updated) - markAt(stepMark.met),
      commitMs: markAt(stepMark.committed) - markAt(stepMark.updated),
    };
  }

  /** [worker] since the start. No step may be under way. */
  totals(): WorkerTotals[] {
    const { rows } = this.memory;
    return Array.from(this.#taken, (_, worker) => {
      const total = (index: number): number => rows[worker * perWorker + index] as number;
      return { steps: total(0), contributeMs: total(1), waitMs: total(2), updateMs: total(3) };
    });
  }
}
