import { describe, expect, it } from 'vitest';
import { formatScaling, type ScalingSample, shareOut, summarizeScaling } from './scaling.js';
import { drawScaling } from './scaling-picture.js';
import { formatWatching, summarizeWatching } from './watching.js';

const shares = { contribute: 0.9, wait: 0.06, update: 0.04 };
const sample = (peak: number, imagesPerSecond: number): ScalingSample => ({ peak, imagesPerSecond, shares });

/** The second repetition meets a machine of half the speed. */
const samples = [
  [sample(10, 1000), sample(5, 500), sample(10, 1000)],
  [sample(20, 1900), sample(10, 900), sample(16, 1600)],
];

describe('summarizeScaling', () => {
  it('compares within a repetition, so that a slow one changes no ratio', () => {
    const [one, two] = summarizeScaling([1, 2], samples);
    expect(one).toMatchObject({ speedUp: { median: 1, min: 1, max: 1 }, efficiency: { median: 1, min: 1, max: 1 } });
    expect(two?.imagesPerSecond).toEqual({ median: 1600, min: 900, max: 1900 });
    expect(two?.speedUp).toEqual({ median: 1.8, min: 1.6, max: 1.9 });
    expect(two?.peakGrowth).toBe(2);
    expect(two?.efficiency).toEqual({ median: 0.95, min: 0.9, max: 1 });
  });

  it('prints a line for each number of workers and for the tensorflow engine', () => {
    const figures = summarizeScaling([1, 2], samples);
    expect(formatScaling([{ model: 'm', figures, tensorflow: { median: 250, min: 200, max: 300 } }])).toEqual([
      'Model        Workers  Images/s  (min-max)    Speed-up  (min-max)    Of the cores  (min-max)    Shards  Update  Waiting',
      'm                  1     1,000  (500-1,000)     1.00x  (1.00-1.00)          100%  (100%-100%)     90%      4%       6%',
      'm                  2     1,600  (900-1,900)     1.80x  (1.60-1.90)           95%  (90%-100%)      90%      4%       6%',
      'm      tensorflow, 1       250  (200-300)       0.25x',
    ]);
  });

  it('draws a bar as long as the speed-up, cut by the shares', () => {
    const picture = drawScaling([{ model: 'a<b', figures: summarizeScaling([1, 2], samples) }], 'here');
    const widths = [...picture.matchAll(/<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)" height="14"/g)].map(([, w]) =>
      Number(w),
    );
    const [first, second] = [widths.slice(0, 3), widths.slice(3)].map((list) => list.reduce((a, b) => a + b, 0));
    expect((second as number) / (first as number)).toBeCloseTo(1.8, 2);
    expect(picture).toContain('a&lt;b, 2 workers');
  });
});

describe('shareOut', () => {
  it('divides the time between two readings, over all workers', () => {
    const before = [{ steps: 1, contributeMs: 10, waitMs: 5, updateMs: 1 }];
    const after = [{ steps: 3, contributeMs: 16, waitMs: 7, updateMs: 3 }];
    expect(shareOut(before, after)).toEqual({ contribute: 0.6, wait: 0.2, update: 0.2 });
    expect(shareOut([], [...after, ...after])).toEqual(shareOut([], after));
  });
});

describe('summarizeWatching', () => {
  const pair = (plain: number, watched: number, beside: number | undefined) => ({
    plain: { imagesPerSecond: plain, stepMs: 1000 / plain, beside: 0.01, bytes: 0, nodes: [] },
    watched: { imagesPerSecond: watched, stepMs: 1000 / watched, beside, bytes: 0, nodes: [] },
  });

  it('takes the cost of each pair of slices, and of them the median', () => {
    const figures = summarizeWatching([pair(1010, 1000, 0.015), pair(505, 500, 0.02), pair(1000, 1000, 0.01)]);
    expect(figures.cost).toEqual({ median: expect.closeTo(0.01, 9), min: 0, max: expect.closeTo(0.01, 9) });
    expect(figures.beside).toEqual({ median: expect.closeTo(0.005, 9), min: 0, max: expect.closeTo(0.01, 9) });
    const more = { ...figures, beside: { median: 0.0075, min: 0.001, max: 0.01 } };
    expect(
      formatWatching([
        { model: 'm', crowd: 'nobody', ...figures },
        { model: 'm', crowd: '50 viewers', ...more },
      ]),
    ).toEqual([
      'Model  Before the page  Images/s  Watched   Cost  (min to max)      Of a core  (min to max)      By the crowd',
      'm      nobody              1,000    1,000  1.00%  (0.00% to 1.00%)      0.50%  (0.00% to 1.00%)',
      'm      50 viewers          1,000    1,000  1.00%  (0.00% to 1.00%)      0.75%  (0.10% to 1.00%)         0.25%',
    ]);
  });
});
