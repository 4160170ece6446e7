import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { abortReason, Control, LEFT } from './control.js';

const THREAD = new URL('./test-barrier-thread.mjs', import.meta.url);
const BARRIERS = 2000;

interface Walk {
  readonly control: Control;
  /** [barrier] arrivals, then [early passages, wrong commits]. */
  readonly log: Int32Array;
  readonly ended: Promise<unknown>;
}

/** Threads that walk through the barriers; one of them may exit ahead of a barrier. */
function startWalk(workers: number, spins: boolean, exit?: { readonly worker: number; readonly at: number }): Walk {
  const words = Control.allocate(workers);
  const log = new Int32Array(new SharedArrayBuffer((BARRIERS + 2) * 4));
  const control = new Control(words, workers, spins);
  control.begin(0);
  const threads = Array.from({ length: workers }, (_, worker) => {
    const exitAt = exit?.worker === worker ? exit.at : -1;
    return new Worker(THREAD, { workerData: { words, workers, spins, worker, barriers: BARRIERS, log, exitAt } });
  });
  return { control, log, ended: Promise.all(threads.map((thread) => once(thread, 'exit'))) };
}

const violations = (log: Int32Array): number[] => [...log.subarray(BARRIERS)];

describe('meet', () => {
  it.each([
    [2, true],
    [2, false],
    [3, false],
    [8, false],
  ])('lets none of %i threads pass early and commits each step once (spinning: %s)', async (workers, spins) => {
    const { control, log, ended } = startWalk(workers, spins);
    await ended;
    expect(violations(log)).toEqual([0, 0]);
    expect([...log.subarray(0, BARRIERS)].every((arrivals) => arrivals === workers)).toBe(true);
    expect(control.committed).toBe(BARRIERS / 2);
  });

  it.each([100, 101])('an abort sends everybody back when a thread is gone ahead of barrier %i', async (at) => {
    const { control, log, ended } = startWalk(3, false, { worker: 1, at });
    // The two others arrive at that barrier and wait there for a thread that never comes.
    while (Atomics.load(log, at) < 2) await new Promise((resolve) => setImmediate(resolve));
    control.abort(abortReason.workerLost);
    await ended;
    expect(violations(log)).toEqual([0, 0]);
    expect(control.committed).toBe(Math.floor(at / 2));
    expect(control.aborted).toBe(abortReason.workerLost);
    expect(log[at + 1]).toBe(0);
  });

  it('a segment after an abort starts from the committed step with a closed barrier', async () => {
    const control = new Control(Control.allocate(2), 2, false);
    control.begin(7);
    control.abort(abortReason.notFinite);
    expect(control.meet(0, 8)).toBe(false);
    control.begin(control.committed);
    expect({ aborted: control.aborted, committed: control.committed }).toEqual({ aborted: 0, committed: 7 });
  });

  it('a lone worker passes at once and commits', () => {
    const control = new Control(Control.allocate(1), 1, false);
    control.begin(4);
    expect(control.meet(0, -1)).toBe(true);
    expect(control.committed).toBe(4);
    expect(control.meet(0, 5)).toBe(true);
    expect(control.committed).toBe(5);
  });
});

describe('the words of a segment', () => {
  it('keep the first reason of an abort', () => {
    const control = new Control(Control.allocate(2), 2, false);
    control.begin(0);
    control.abort(abortReason.notFinite);
    control.abort(abortReason.workerLost);
    expect(control.aborted).toBe(abortReason.notFinite);
  });

  it('say how far each worker has come', () => {
    const control = new Control(Control.allocate(3), 3, false);
    control.begin(0);
    control.enter(1);
    control.takeChunk(1);
    control.enter(2);
    control.leave(2);
    const reached = [0, 1, 2].map((worker) => control.reachedBy(worker));
    expect(reached).toEqual([0, 3, LEFT]);
  });

  it('say who works and who waits: an odd number, and an even one', async () => {
    const { control, log, ended } = startWalk(2, false, { worker: 1, at: 4 });
    // past four barriers, and at the fifth, where it waits for one that never comes
    while (Atomics.load(log, 4) < 1 || control.reachedBy(0) < 10) await new Promise((resolve) => setImmediate(resolve));
    expect(control.reachedBy(0)).toBe(10);
    expect(control.reachedBy(1)).toBe(9);
    control.abort(abortReason.workerLost);
    await ended;
    expect(control.reachedBy(0)).toBe(LEFT);
  });

  it('give each chunk out once', () => {
    const control = new Control(Control.allocate(2), 2, false);
    control.begin(0);
    expect([0, 1, 0, 0, 1].map((worker) => control.takeChunk(worker))).toEqual([0, 1, 2, 3, 4]);
  });

  it('let a fault happen as often as asked for, over all segments', () => {
    const control = new Control(Control.allocate(2), 2, false);
    const isTaken = () => control.takeFault(2);
    control.begin(0);
    expect([isTaken(), isTaken()]).toEqual([true, true]);
    control.begin(0);
    expect(isTaken()).toBe(false);
  });

  it('remember a stop until the next segment', () => {
    const control = new Control(Control.allocate(1), 1, false);
    control.begin(0);
    control.stop();
    expect(control.isStopping).toBe(true);
    control.begin(1);
    expect(control.isStopping).toBe(false);
  });
});
