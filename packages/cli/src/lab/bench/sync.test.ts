import { describe, expect, it } from 'vitest';
import { formatMemory } from './memory.js';
import { formatSync, summarizeSync } from './sync.js';

const sample = { steps: 100, seconds: 1, cpuSeconds: 1.5, waitSeconds: [0.1, 0.3] };

describe('summarizeSync', () => {
  it('takes the mean of the workers as the share of a step at barriers', () => {
    expect(summarizeSync('m', 2, 2, [sample]).waitingShare).toBeCloseTo(0.2, 12);
  });

  it('calls idle what the cores in use did not run', () => {
    expect(summarizeSync('m', 2, 2, [sample]).idleShare).toBeCloseTo(0.25, 12);
    expect(summarizeSync('m', 8, 2, [{ ...sample, cpuSeconds: 2 }]).idleShare).toBe(0);
    expect(summarizeSync('m', 1, 2, [{ ...sample, cpuSeconds: 1.01 }]).idleShare).toBe(0);
  });

  it('gives the median step of the repetitions and its images/s', () => {
    const runs = [1, 4, 2].map((seconds) => ({ ...sample, seconds }));
    expect(summarizeSync('m', 2, 2, runs)).toMatchObject({ stepMicroseconds: 20_000, imagesPerSecond: 6400 });
  });

  it('prints one line per model and worker count', () => {
    expect(formatSync([summarizeSync('m', 2, 2, [sample])])).toEqual([
      'Model  Workers  Images/s  us/step  At barriers  Cores idle',
      'm            2    12,800    10000          20%         25%',
    ]);
  });
});

it('formatMemory prints a line per model and a column per worker count, in MB', () => {
  const figures = (model: string, workers: number, afterBytes: number) => ({
    model,
    workers,
    beforeBytes: 100e6,
    afterBytes,
    peakBytes: afterBytes,
  });
  expect(formatMemory([figures('a', 1, 150e6), figures('a', 8, 400e6), figures('b', 1, 2e9)])).toEqual([
    'RSS in MB  data only  1 worker  8 workers',
    'a                100       150        400',
    'b                100      2000',
  ]);
});
