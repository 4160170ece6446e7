import { describe, expect, it } from 'vitest';
import { jointRate } from './peak-meter.js';

describe('jointRate', () => {
  it('adds the rates of threads that run at the same time', () => {
    expect(
      jointRate([
        [0, 1000, 100],
        [0, 1000, 120],
      ]),
    ).toBe(220);
  });

  it('does not count threads that took turns on one core as two cores', () => {
    expect(
      jointRate([
        [0, 1000, 100],
        [1000, 2000, 100],
      ]),
    ).toBe(100);
  });

  it('takes the time until the slower thread is done', () => {
    expect(
      jointRate([
        [0, 1000, 100],
        [0, 2000, 50],
      ]),
    ).toBe(100);
  });
});
