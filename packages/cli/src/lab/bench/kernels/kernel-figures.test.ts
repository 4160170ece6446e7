import { describe, expect, it } from 'vitest';
import { summarizeStep } from './kernel-figures.js';
import { formatStep } from './kernel-table.js';

const measurement = {
  model: 'm',
  samples: 100,
  trainingFlopsPerImage: 6000,
  peakGigaflops: 10,
  ops: [
    { name: 'input', shape: '1x8x8', multiplyAdds: 0, floats: 80 },
    { name: 'conv', shape: '1x8x8 > 2x8x8 k3', multiplyAdds: 1000, floats: 192 },
    { name: 'convWeightGradient', shape: '1x8x8 > 2x8x8 k3', multiplyAdds: 1000, floats: 192 },
    { name: 'convInputGradient', shape: '1x8x8 > 2x8x8 k3', multiplyAdds: 1000, floats: 192 },
  ],
  algorithms: ['pass', 'winograd', 'direct', 'winograd'],
  runs: [
    { ops: [4000, 20_000, 40_000, 20_000], between: 6000, contribute: 88_000, update: 10_000 },
    { ops: [2000, 25_000, 40_000, 20_000], between: 6000, contribute: 90_000, update: 10_000 },
    { ops: [8000, 10_000, 40_000, 20_000], between: 6000, contribute: 99_000, update: 11_000 },
  ],
} as const;

describe('summarizeStep', () => {
  const figures = summarizeStep(measurement);

  it('takes the median of each op over the runs', () => {
    expect(figures.kernels.map(({ microseconds }) => microseconds)).toEqual([4, 20, 40, 20, 6, 10]);
  });

  it('has shares that add up to one, over ops and over passes', () => {
    for (const list of [figures.kernels, figures.passes]) {
      expect(list.reduce((sum, { shareOfStep }) => sum + shareOfStep, 0)).toBeCloseTo(1, 12);
    }
  });

  it('adds ops up to forward, input gradient, weight gradient and the rest', () => {
    const times = Object.fromEntries(figures.passes.map(({ pass, microseconds }) => [pass, microseconds]));
    expect(times).toEqual({ forward: 20, 'input gradient': 20, 'weight gradient': 40, rest: 20 });
  });

  it('gives direct GFLOP/s for products and GB/s for passes over memory', () => {
    // 2 * 1,000 * 100 FLOP in 20 us; 4 * 80 * 100 bytes in 4 us
    expect(figures.kernels[1]).toMatchObject({ gigaflops: 10, algorithm: 'winograd' });
    expect(figures.kernels[0]).toMatchObject({ gigabytesPerSecond: 8 });
    expect(figures.kernels[0]).not.toHaveProperty('gigaflops');
  });

  it('takes images/s and share of peak from the steps without timers', () => {
    expect(figures.microseconds).toBe(100);
    expect(figures.timedMicroseconds).toBe(100);
    expect(figures.imagesPerSecond).toBe(1_000_000);
    expect(figures.shareOfPeak).toBeCloseTo(0.6, 12);
  });

  it('prints ops, passes and the step', () => {
    const lines = formatStep(figures);
    expect(lines[2]?.split(/\s{2,}/)).toEqual([
      'conv',
      '1x8x8 > 2x8x8 k3',
      'winograd',
      '20.0',
      '20.0%',
      '10',
      'GFLOP/s',
      '100%',
    ]);
    expect(lines.at(-1)).toBe(
      'm, 100 images, one thread: 100 us a step with timers; without them 100 us, 1,000,000 images/s, 60% of 10 GFLOP/s.',
    );
  });
});
