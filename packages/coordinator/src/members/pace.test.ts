import { describe, expect, it } from 'vitest';
import { dealCounts } from '../steps/shares/finish-times.js';
import { Pace } from './pace.js';

/** Of a node that computed one shard in each step. */
function paceOf(steps: readonly { readonly computeMs: number; readonly stepMs: number }[]): Pace {
  const pace = new Pace();
  for (const { computeMs, stepMs } of steps) {
    pace.note(1, computeMs);
    pace.noteStep({ stepMs, exchangeMs: stepMs - computeMs });
  }
  return pace;
}

const usual = { computeMs: 30, stepMs: 40 };
const first = { computeMs: 900, stepMs: 1000 };

describe('the pace of a node', () => {
  it('is not known before three steps beyond the first', () => {
    const pace = paceOf([first, usual, usual]);
    expect(pace.shardMs).toBeUndefined();
    expect(pace.communication).toBe(0);
    expect(pace.share('a', 1, 16)).toEqual({
      node: 'a',
      shards: 1,
      imagesPerSecond: 0,
      communication: 0,
      exchangeMs: 0,
    });
  });

  it('is what the middle one of its last steps took', () => {
    const pace = paceOf([first, usual, usual, usual]);
    expect(pace.shardMs).toBe(30);
    expect(pace.share('a', 1, 15)).toMatchObject({ imagesPerSecond: 500, communication: 0.25, exchangeMs: 10 });
  });

  it('stays what it was when a step was held for seconds, while it computed or while it waited', () => {
    for (const held of [
      { computeMs: 5030, stepMs: 5040 },
      { computeMs: 30, stepMs: 5040 },
    ]) {
      const pace = paceOf([first, usual, usual, usual, held, usual]);
      expect(pace.shardMs).toBe(30);
      expect(pace.communication).toBe(0.25);
    }
  });

  it('follows a change that lasts', () => {
    const slower = { computeMs: 60, stepMs: 70 };
    const pace = paceOf([first, ...new Array(9).fill(usual), ...new Array(5).fill(slower)]);
    expect(pace.shardMs).toBe(60);
  });

  it('is a number also of a node that says it took no time', () => {
    const nothing = { computeMs: 0, stepMs: 0 };
    const pace = paceOf([first, nothing, nothing, nothing]);
    expect(pace.shardMs).toBeGreaterThan(0);
    expect(dealCounts(100, [1 / (pace.shardMs as number), 1 / 30])).toEqual([100, 0]);
    expect(Number.isFinite(pace.share('a', 1, 16).imagesPerSecond)).toBe(true);
    expect(pace.communication).toBe(0);
  });

  it('is all communication for a node without shards', () => {
    const pace = new Pace();
    for (let step = 0; step < 5; step++) {
      pace.note(0, 0);
      pace.noteStep({ stepMs: 10, exchangeMs: 10 });
    }
    expect(pace.shardMs).toBeUndefined();
    expect(pace.communication).toBe(1);
  });
});
