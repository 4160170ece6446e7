import type { EpochEvent } from '@lockstep/core/events';
import { describe, expect, it } from 'vitest';
import { plotEpochs } from './terminal-plot.js';

const epoch = (number: number, trainLoss: number, testAccuracy: number): EpochEvent => ({
  event: 'epoch',
  epoch: number,
  learningRate: 0.1,
  trainLoss,
  trainAccuracy: testAccuracy,
  testLoss: trainLoss,
  testAccuracy,
  testCorrect: 0,
  testTotal: 1,
  seconds: 1,
  imagesPerSecond: 1,
});

describe('curves in the terminal', () => {
  it('go from the first epoch at the left to the last at the right, the later series on top', () => {
    const lines = plotEpochs([epoch(1, 1, 0), epoch(2, 0, 1)], 35);
    expect(lines.slice(0, 15)).toEqual([
      '          Loss   · training   * test',
      '       1 ┤**',
      '         │  **',
      '     0.8 ┤    **',
      '         │      **',
      '     0.6 ┤        **',
      '         │          **',
      '         │            **',
      '     0.4 ┤              **',
      '         │                **',
      '     0.2 ┤                  **',
      '         │                    **',
      '       0 ┤                      **',
      '         └────────────────────────',
      '          epoch 1                2',
    ]);
    expect(lines[16]).toBe('          Accuracy   · training   * test');
    expect(lines[17]).toMatch(/^ {4}100% ┤ +\*+$/);
  });

  it('leave out what is not a number, and are none for a single epoch', () => {
    expect(plotEpochs([epoch(1, 1, 0)], 80)).toEqual([]);
    expect(plotEpochs([epoch(1, Number.NaN, 0), epoch(2, Number.NaN, 1)], 80)[1]).toBe('  nothing that is a number');
  });

  it('never are wider than the terminal', () => {
    for (const columns of [40, 60, 80]) {
      const widest = Math.max(
        ...plotEpochs([epoch(1, 3, 0.2), epoch(2, 0.1, 0.9)], columns).map(({ length }) => length),
      );
      expect(widest).toBeLessThanOrEqual(columns);
    }
  });
});
