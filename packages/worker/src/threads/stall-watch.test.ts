import { ALIGNMENT } from '@lockstep/core/run';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Control, LEFT } from './control.js';
import { findLate, StallWatch } from './stall-watch.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

/** Where the first worker's place stands among the words of the control block. */
const REACHED = Control.allocate(0).length;

/** Workers that have begun, one of them after the others if need be, and what is said of them. */
function watch(workers: number, samples = 16, begun = workers) {
  const control = new Control(Control.allocate(workers), workers, false);
  const progress = new Uint32Array(new SharedArrayBuffer(4 * ALIGNMENT * workers));
  for (let worker = 0; worker < begun; worker++) control.enter(worker);
  const named: number[] = [];
  const stalls = new StallWatch(control, progress, (worker) => named.push(worker), samples);
  const work = (worker: number): void => {
    progress[ALIGNMENT * worker] = (progress[ALIGNMENT * worker] as number) + 1;
  };
  const pass = (seconds: number, each = (): void => {}): void => {
    for (let second = 0; second < seconds; second++) {
      each();
      vi.advanceTimersByTime(1000);
    }
  };
  return { control, progress, named, work, pass, end: () => stalls.end() };
}

it('waits: threads: a worker that does not move is named', () => {
  vi.stubEnv('LOCKSTEP_STALL_MS', '1500');
  const { control, named, pass, end } = watch(2);
  pass(2, () => control.takeChunk(0));
  end();
  expect(named).toEqual([1]);
});

it('cases: peers 27: a worker that counts ops for an hour is not late, and one that stops is found after half a minute', () => {
  const { named, work, pass, end } = watch(1);
  pass(3600, () => work(0));
  expect(named).toEqual([]);
  pass(29);
  expect(named).toEqual([]);
  pass(2);
  end();
  expect(named).toEqual([0]);
});

it('finds a worker that hangs while another one works on', () => {
  const { named, work, pass, end } = watch(2);
  pass(31, () => work(0));
  end();
  expect(named).toEqual([1]);
});

it('has patience for twenty times the slowest op so far', () => {
  const { named, work, pass, end } = watch(1);
  for (let op = 0; op < 5; op++) {
    pass(10);
    work(0);
  }
  pass(190);
  expect(named).toEqual([]);
  pass(17);
  end();
  expect(named).toEqual([0]);
});

it('takes no wait at a barrier for slow work', () => {
  const { control, named, work, pass, end } = watch(2);
  Atomics.add(control.words, REACHED, 1);
  pass(25, () => work(1));
  Atomics.add(control.words, REACHED, 1);
  pass(31, () => work(1));
  end();
  expect(named).toEqual([0]);
});

it('counts on when the count of ops comes around', () => {
  const { progress, named, work, pass, end } = watch(1);
  progress[0] = 0xffff_fff0;
  pass(60, () => work(0));
  end();
  expect(named).toEqual([]);
  expect(progress[0]).toBeLessThan(100);
});

it('names threads that never begin', () => {
  const { named, pass, end } = watch(2, 16, 1);
  pass(31, () => {});
  end();
  expect(named.sort()).toEqual([0, 1]);
});

it('allows each of the samples of a shard its time', () => {
  const { named, pass, end } = watch(1, 1600);
  pass(99);
  expect(named).toEqual([]);
  pass(2);
  end();
  expect(named).toEqual([0]);
});

describe('findLate', () => {
  const places = (...all: (readonly [reached: number, sinceMs: number])[]) =>
    all.map(([reached, sinceMs]) => ({ reached, done: 0, sinceMs }));

  it.each([
    ['who works and stands, whoever waits', places([3, 0], [4, 0], [2, 0]), [0]],
    ['nobody who has moved since', places([3, 200], [4, 0]), []],
    ['those that never began', places([0, 0], [2, 0], [0, 0]), [0, 2]],
    ['nobody who is done', places([LEFT, 0], [3, 0]), [1]],
    ['all that wait, where nobody is left to wake them', places([4, 0], [LEFT, 0], [4, 0]), [0, 2]],
    ['nobody, where one has just begun to wait', places([4, 0], [4, 200]), []],
    ['nobody, when all are done', places([LEFT, 0], [LEFT, 0]), []],
  ])('names %s', (_, all, late) => {
    expect(findLate(all, 100)).toEqual(late);
  });

  it('names nobody who has moved, and always somebody where all stand', () => {
    const place = fc.record({ reached: fc.nat(9), done: fc.nat(3), sinceMs: fc.nat(200) });
    fc.assert(
      fc.property(fc.array(place, { minLength: 1, maxLength: 8 }), (all) => {
        const late = findLate(all, 100);
        for (const worker of late) expect(all[worker]?.sinceMs).toBeLessThanOrEqual(100);
        if (all.every(({ sinceMs }) => sinceMs <= 100)) expect(late).not.toEqual([]);
      }),
    );
  });
});
