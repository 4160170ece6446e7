import { describe, expect, it } from 'vitest';
import { type SpeedSource, summarizeSpeed, takeSamples } from './speed.js';
import { drawSpeed } from './speed-picture.js';
import { formatSpeed } from './speed-table.js';

const options = { workers: [1, 2], seconds: 1, repetitions: 3, engine: 'native' } as const;

/** 1,000 multiply-adds an image: 6,000 FLOP in training, 2,000 in inference. */
const workload = { model: { name: 'm' }, parameters: 10, multiplyAdds: 1000 };

const samples = {
  // GFLOP/s, twice per repetition
  peaks: [
    [10, 10, 10],
    [20, 16, 18],
  ],
  training: [
    [1_000_000, 900_000, 1_100_000],
    [1_500_000, 1_400_000, 1_600_000],
  ],
  inference: [
    [4_000_000, 4_000_000, 4_000_000],
    [7_200_000, 7_200_000, 7_200_000],
  ],
};

describe('takeSamples', () => {
  it('lets worker counts take turns, a peak before each measurement', async () => {
    const log: string[] = [];
    const say = (what: string) => async (position: number) => log.push(`${what}${position}`);
    const source: SpeedSource = { peak: say('peak'), train: say('train'), infer: say('infer') };
    await takeSamples(source, { ...options, repetitions: 1 });
    const expected = ['peak0', 'train0', 'peak1', 'train1', 'peak0', 'infer0', 'peak1', 'infer1'];
    expect(log).toEqual(expected);
  });

  it('keeps every repetition under its worker count', async () => {
    let next = 0;
    const source: SpeedSource = {
      peak: async (position) => 100 + position,
      train: async () => next++,
      infer: async (position) => 10 * position,
    };
    expect(await takeSamples(source, options)).toEqual({
      peaks: [new Array(6).fill(100), new Array(6).fill(101)],
      training: [
        [0, 2, 4],
        [1, 3, 5],
      ],
      inference: [
        [0, 0, 0],
        [10, 10, 10],
      ],
    });
  });
});

describe('summarizeSpeed', () => {
  const { figures, trainingFlopsPerImage } = summarizeSpeed(workload, options.workers, samples);

  it('counts six FLOP per multiply-add in training', () => {
    expect(trainingFlopsPerImage).toBe(6000);
    expect(figures[0]?.training.shareOfPeak).toBeCloseTo(0.6, 12);
  });

  it('counts two FLOP per multiply-add in inference', () => {
    expect(figures[0]?.inference.shareOfPeak).toBeCloseTo(0.8, 12);
  });

  it('takes the joint peak for more workers', () => {
    expect(figures[1]?.peakGigaflops).toEqual({ median: 18, min: 16, max: 20 });
    expect(figures[1]?.training.shareOfPeak).toBeCloseTo(9 / 18, 12);
  });

  it('measures scaling against the growth of the peak, not the number of workers', () => {
    expect(figures[0]?.training.scalingEfficiency).toBe(1);
    // 1.5 times the images/s with 1.8 times the peak
    expect(figures[1]?.training.scalingEfficiency).toBeCloseTo(1.5 / 1.8, 12);
    expect(figures[1]?.inference.scalingEfficiency).toBeCloseTo(1, 12);
  });

  it('gives the spread of the repetitions', () => {
    expect(figures[0]?.training.imagesPerSecond).toEqual({ median: 1_000_000, min: 900_000, max: 1_100_000 });
  });

  it('prints one line per worker count, in columns', () => {
    const lines = formatSpeed([summarizeSpeed(workload, options.workers, samples)]);
    expect(lines).toHaveLength(3);
    expect(lines[1]?.split(/\s{2,}/)).toEqual([
      ...['m', '1', '10', '1,000,000', '(900,000-1,100,000)', '60%', '100%'],
      ...['4,000,000', '(4,000,000-4,000,000)', '80%', '100%'],
    ]);
    expect(lines[2]).toMatch(/50%\s+83%/);
  });

  it('draws one bar per worker count, as long as its share', () => {
    const svg = drawSpeed([summarizeSpeed(workload, options.workers, samples)], 'a < b');
    const widths = [...svg.matchAll(/<rect x="\d+" y="\d+" width="([\d.]+)"/g)].map((match) => Number(match[1]));
    expect(widths).toHaveLength(2);
    expect((widths[1] as number) / (widths[0] as number)).toBeCloseTo(0.5 / 0.6, 2);
    expect(svg).toContain('a &lt; b');
    expect(svg).toContain('60%, 1,000,000/s, 1 worker');
  });
});
