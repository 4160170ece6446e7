import { afterEach, describe, expect, it, vi } from 'vitest';
import { Control } from './control.js';
import { findLate, StallWatch } from './stall-watch.js';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

it('waits: threads: a worker that does not move is named', async () => {
  vi.stubEnv('LOCKSTEP_STALL_MS', '30');
  const control = new Control(Control.allocate(2), 2, false);
  control.enter(0);
  control.enter(1);
  control.takeChunk(0);
  let watch: StallWatch | undefined;
  const named = await new Promise<number>((resolve) => (watch = new StallWatch(control, 2, resolve)));
  watch?.end();
  expect(named).toBe(1);
});

it('cases: peers 27: a worker has as long as its part of the batch may take', () => {
  vi.useFakeTimers();
  const stalls = (samples: number, seconds: number): number[] => {
    const control = new Control(Control.allocate(1), 1, false);
    control.enter(0);
    const named: number[] = [];
    const watch = new StallWatch(control, 1, (worker) => named.push(worker), samples);
    vi.advanceTimersByTime(1000 * seconds);
    watch.end();
    return named;
  };
  expect(stalls(128, 29)).toEqual([]);
  expect(stalls(128, 31)).toEqual([0]);
  // at 16 samples a second
  expect(stalls(65_536, 4090)).toEqual([]);
  expect(stalls(65_536, 4100)).toEqual([0]);
});

describe('findLate', () => {
  it.each([
    ['the one behind', [5, 4, 5], [1]],
    ['all that are behind', [3, 9, 4], [0, 2]],
    ['those that never began', [0, 1, 0], [0, 2]],
    ['everybody when all are equal: then none waits for another', [6, 6, 6], [0, 1, 2]],
    ['a lone worker', [2], [0]],
  ])('blames %s', (_, reached, late) => {
    expect(findLate(reached)).toEqual(late);
  });
});
