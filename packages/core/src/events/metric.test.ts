import { describe, expect, it } from 'vitest';
import type { EpochEvent } from './events.js';
import { epochsWithoutGain, findBestEpoch } from './metric.js';

const history = (...accuracies: number[]): EpochEvent[] =>
  accuracies.map((testAccuracy, index) => ({
    event: 'epoch',
    epoch: index + 1,
    learningRate: 0.1,
    trainLoss: 1,
    trainAccuracy: 0.5,
    testLoss: 1 - testAccuracy,
    testAccuracy,
    testCorrect: 100 * testAccuracy,
    testTotal: 100,
    seconds: 1,
    imagesPerSecond: 1,
  }));

describe('the best epoch', () => {
  it('is the first of equals', () => {
    expect(findBestEpoch(history(0.5, 0.9, 0.7, 0.9), 'testAccuracy')).toEqual({ epoch: 2, value: 0.9 });
  });

  it('has the lowest loss', () => {
    expect(findBestEpoch(history(0.5, 0.75, 0.25), 'testLoss')).toEqual({ epoch: 2, value: 0.25 });
  });

  it('is none when no epoch has the number, or there is no epoch', () => {
    expect(findBestEpoch(history(0.5), 'validationLoss')).toBeUndefined();
    expect(findBestEpoch(history(0.5), 'emaTestAccuracy')).toBeUndefined();
    expect(findBestEpoch([], 'testAccuracy')).toBeUndefined();
  });

  it('does not take a loss that is not a number', () => {
    const [first, second] = history(0.1, 0.5) as [EpochEvent, EpochEvent];
    expect(findBestEpoch([{ ...first, testLoss: Number.NaN }, second], 'testLoss')).toEqual({ epoch: 2, value: 0.5 });
  });
});

it('counts the epochs since the best', () => {
  expect(epochsWithoutGain(history(0.5, 0.9, 0.7, 0.9), 'testAccuracy')).toBe(2);
  expect(epochsWithoutGain(history(0.5, 0.6), 'testAccuracy')).toBe(0);
});
