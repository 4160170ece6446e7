import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBar, formatClock, formatDuration, formatPercent, formatProgress, type Progress } from './progress.js';

const done: Progress = {
  step: 469,
  stepsPerEpoch: 469,
  loss: 0.12566810846328735,
  accuracy: 0.92451,
  seconds: 14.94,
  imagesPerSecond: 4018.3,
};

describe('formatProgress', () => {
  it('prints the line of the seeds, with images per second', () => {
    expect(formatProgress(done, 120)).toBe(
      'loss=0.1257 accuracy=92.45: 100%|██████████| 469/469 [00:14<00:00, 31.39it/s, 4018 images/s]',
    );
  });

  it('shows elapsed and remaining time as tqdm', () => {
    expect(formatProgress({ ...done, step: 100, seconds: 50 }, 120)).toContain('100/469 [00:50<03:04, 2.00it/s');
  });

  it('does not know rate and remaining time before the first step', () => {
    expect(formatProgress({ ...done, step: 0, seconds: 0 }, 120)).toContain('  0%|          | 0/469 [00:00<?, ?it/s');
  });

  it('counts seconds per step when a step takes longer than one', () => {
    expect(formatProgress({ ...done, step: 10, seconds: 25 }, 120)).toContain('2.50s/it');
  });

  it.each([
    [92, 'loss=0.1257 accuracy=92.45: 100%|██████████| 469/469 [00:14<00:00, 31.39it/s, 4018 images/s]'],
    [91, 'loss=0.1257 accuracy=92.45: 100%|██████████| 469/469 [00:14<00:00, 31.39it/s]'],
    [70, '100%|██████████| 469/469 [00:14<00:00, 31.39it/s, 4018 images/s]'],
    [60, '100%|██████████| 469/469 [00:14<00:00, 31.39it/s]'],
    [40, '100% 469/469 [00:14<00:00]'],
    [10, '100%'],
    [2, ''],
  ])('keeps what is most important in %i columns', (columns, line) => {
    expect(formatProgress(done, columns)).toBe(line);
  });

  it('never passes the width', () => {
    const progress = fc.record({
      step: fc.nat(1_000_000),
      stepsPerEpoch: fc.integer({ min: 1_000_000, max: 2_000_000 }),
      loss: fc.double({ min: 0, max: 1e6, noNaN: true }),
      accuracy: fc.double({ min: 0, max: 1, noNaN: true }),
      seconds: fc.double({ min: 0, max: 1e6, noNaN: true }),
      imagesPerSecond: fc.double({ min: 0, max: 1e7, noNaN: true }),
    });
    fc.assert(fc.property(progress, fc.nat(150), (value, columns) => formatProgress(value, columns).length <= columns));
  });
});

describe('formatBar', () => {
  it.each([
    [0, '    '],
    [0.25, '█   '],
    [0.5, '██  '],
    [0.53125, '██▏ '],
    [0.71875, '██▉ '],
    [1, '████'],
    [1.5, '████'],
    [-1, '    '],
  ])('draws %d of four columns', (fraction, bar) => {
    expect(formatBar(fraction, 4)).toBe(bar);
  });

  it('is as wide as asked for any fraction', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 50 }), (fraction, columns) => {
        expect(formatBar(fraction, columns)).toHaveLength(columns);
      }),
    );
  });
});

it.each([
  [0, '00:00'],
  [14.94, '00:14'],
  [75, '01:15'],
  [3600, '1:00:00'],
  [37_230, '10:20:30'],
])('writes %d seconds as a clock', (seconds, text) => {
  expect(formatClock(seconds)).toBe(text);
});

it('writes short durations with a tenth of a second, long ones as a clock', () => {
  expect([0.04, 14.94, 59.9, 60, 3725].map(formatDuration)).toEqual(['0.0 s', '14.9 s', '59.9 s', '01:00', '1:02:05']);
});

it('writes fractions as percent with two digits', () => {
  expect(formatPercent(0.981)).toBe('98.10');
  expect(formatPercent(1)).toBe('100.00');
});
