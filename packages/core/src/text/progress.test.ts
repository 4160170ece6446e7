import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBar, formatClock, formatProgress, type Progress } from './progress.js';

const done: Progress = {
  step: 469,
  stepsPerEpoch: 469,
  trainLoss: 0.12566810846328735,
  accuracy: 0.92451,
  seconds: 14.94,
  imagesPerSecond: 4018.3,
};

describe('formatProgress', () => {
  it('prints the line of the seeds, with images per second', () => {
    expect(formatProgress(done, 92)).toBe(
      'loss=0.1257 accuracy=92.45: 100%|██████████| 469/469 [00:14<00:00, 31.39it/s, 4018 images/s]',
    );
  });

  it('shows elapsed and remaining time as tqdm', () => {
    expect(formatProgress({ ...done, step: 100, seconds: 50 }, 120)).toContain('100/469 [00:50<03:04, 2.00it/s');
  });

  it('does not know rate and remaining time before the first step', () => {
    expect(formatProgress({ ...done, step: 0, seconds: 0 }, 83)).toMatch(/ {3}0%\| {10,}\| 0\/469 \[00:00<\?, \?it\/s/);
  });

  it('counts seconds per step when a step takes longer than one', () => {
    expect(formatProgress({ ...done, step: 10, seconds: 25 }, 120)).toContain('2.50s/it');
  });

  it.each([
    [92, 'loss=0.1257 accuracy=92.45: 100%|██████████| 469/469 [00:14<00:00, 31.39it/s, 4018 images/s]'],
    [91, 'loss=0.1257 accuracy=92.45: 100%|████████████████████████| 469/469 [00:14<00:00, 31.39it/s]'],
    [79, 'loss=0.1257 accuracy=92.45: 100%|████████████| 469/469 [00:14<00:00, 31.39it/s]'],
    [70, 'loss=0.1257 accuracy=92.45: 100%|██████████████| 469/469 [00:14<00:00]'],
    [59, 'loss=0.1257 accuracy=92.45: 100% 469/469 [00:14<00:00]'],
    [50, 'loss=0.1257 accuracy=92.45: 100% [00:14<00:00]'],
    [39, 'loss=0.1257 accuracy=92.45: 100% <00:00'],
    [34, 'loss=0.1257 accuracy=92.45: 100%'],
    [30, 'loss=0.1257 accuracy=92.45'],
    [10, '100%'],
    [2, ''],
  ])('keeps what is most important in %i columns', (columns, line) => {
    expect(formatProgress(done, columns)).toBe(line);
  });

  it('cases: work 23: keeps loss and accuracy in windows of 40 and 60 columns, and fills the line of 200', () => {
    const half = { ...done, step: 234, seconds: 7 };
    for (const columns of [40, 60]) {
      expect(formatProgress(half, columns - 1)).toMatch(/^loss=0\.1257 accuracy=92\.45: {2}49% .*<00:07/);
    }
    const wide = formatProgress(half, 199);
    expect(wide).toHaveLength(199);
    expect(/\|(.*)\|/.exec(wide)?.[1]).toMatch(/^█{58}. {58}$/);
  });

  it('names the nodes where they fit', () => {
    const share = { shards: 4, imagesPerSecond: 2009, communication: 0.12, exchangeMs: 1 };
    const nodes = [
      { node: 'a', ...share },
      { node: 'b', ...share },
    ];
    const tail = ' a 4 shards 2009/s, b 4 shards 2009/s, 12% communication';
    const line = formatProgress({ ...done, nodes }, 199);
    expect(line).toHaveLength(199);
    expect(line.endsWith(`4018 images/s]${tail}`)).toBe(true);
    expect(formatProgress({ ...done, nodes }, 120)).toBe(formatProgress(done, 120));
  });

  it('never passes the width', () => {
    const progress = fc.record({
      step: fc.nat(1_000_000),
      stepsPerEpoch: fc.integer({ min: 1_000_000, max: 2_000_000 }),
      trainLoss: fc.double({ min: 0, max: 1e6, noNaN: true }),
      accuracy: fc.double({ min: 0, max: 1, noNaN: true }),
      seconds: fc.double({ min: 0, max: 1e6, noNaN: true }),
      imagesPerSecond: fc.double({ min: 0, max: 1e7, noNaN: true }),
    });
    fc.assert(
      fc.property(progress, fc.nat(250), (value, columns) => {
        expect(formatProgress(value, columns).length).toBeLessThanOrEqual(columns);
      }),
    );
  });

  it('shows in a wider window all that a narrower one shows, but the bar', () => {
    const parts = (columns: number): string[] =>
      ['loss=', '%', '469/469', '00:14<', '<00:00', 'it/s', 'images/s'].filter((part) =>
        formatProgress(done, columns).includes(part),
      );
    for (let columns = 26; columns < 200; columns++) {
      expect(parts(columns + 1)).toEqual(expect.arrayContaining(parts(columns)));
    }
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
