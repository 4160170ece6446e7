import { describe, expect, it } from 'vitest';
import type { EndEvent, EpochEvent } from '../events/events.js';
import {
  bestEpoch,
  describeEnding,
  describeTest,
  endingOf,
  listResults,
  meanSpeed,
  nameOfEnd,
  newestTest,
} from './standing.js';

const tested = (correct: number) => ({
  testLoss: 0.05,
  testAccuracy: correct / 10_000,
  testCorrect: correct,
  testTotal: 10_000,
});

const epoch = (number: number, correct: number, seconds = 10, imagesPerSecond = 6000): EpochEvent => ({
  event: 'epoch',
  epoch: number,
  learningRate: 0.1,
  trainLoss: 0.2,
  trainAccuracy: 0.9,
  ...tested(correct),
  seconds,
  imagesPerSecond,
});

const end = (correct: number, reason: EndEvent['reason']): EndEvent => ({
  event: 'end',
  epochs: 2,
  steps: 1000,
  ...tested(correct),
  parametersSha256: 'abc',
  seconds: 21,
  reason,
});

const epochs = [epoch(1, 9871), epoch(2, 9871, 20, 3000)];

describe('the standing of a run', () => {
  it('names the first of equally good epochs the best', () => {
    expect(bestEpoch(epochs)?.epoch).toBe(1);
    expect(bestEpoch([])).toBeUndefined();
  });

  it('takes the evaluation of the end for the newest, else the last epoch’s', () => {
    expect(newestTest(epochs, endingOf(end(9875, 'interrupted')))?.correct).toBe(9875);
    expect(newestTest(epochs, undefined)?.correct).toBe(9871);
    expect(newestTest([], undefined)).toBeUndefined();
  });

  it('weighs the speed of epochs by their time', () => {
    expect(meanSpeed(epochs)).toBe(4000);
    expect(meanSpeed([])).toBeUndefined();
  });

  it('puts the end into one sentence, and the results behind it by name', () => {
    const event = { ...end(9875, 'interrupted'), ema: tested(9800) };
    const course = { model: 'net19k', epochs, epochCount: 2, steps: 1000, seconds: 21, end: endingOf(event) };
    expect(describeEnding(course)).toBe('Interrupted: net19k: 2 epochs, 1000 steps in 21.0 s, 4000 images/s');
    expect(listResults(course)).toEqual([
      ['Parameters SHA-256', 'abc'],
      ['Moving average', '9800/10000 (98.00%)'],
      ['Test accuracy', '9875/10000 (98.75%), best of whole epochs 9871/10000 (98.71%) in epoch 1'],
    ]);
  });

  it('calls nothing the best that is worse than what stands before it', () => {
    const ends = [9870, 9871, 9872].map((correct) => endingOf(end(correct, 'interrupted')));
    expect(ends.map((ending) => describeTest(ending.test, epochs))).toEqual([
      '9870/10000 (98.70%), best 9871/10000 (98.71%) in epoch 1',
      '9871/10000 (98.71%), best 9871/10000 (98.71%) in epoch 1',
      '9872/10000 (98.72%), best of whole epochs 9871/10000 (98.71%) in epoch 1',
    ]);
  });

  it('calls a run finished that did what it was asked for, stopped or interrupted where somebody cut it short', () => {
    const reasons = ['completed', 'steps', 'until', 'patience', 'stopped', 'interrupted'] as const;
    const names = [...Array(4).fill('Finished'), 'Stopped', 'Interrupted'];
    expect(reasons.map((reason) => nameOfEnd({ reason }))).toEqual(names);
  });
});

it('says of an audited run which steps hold sums that were not computed again', () => {
  const told = (firstStep: number, endStep: number): unknown => {
    const ending = endingOf({ ...end(9875, 'completed'), unaudited: { firstStep, endStep } });
    const course = { model: 'net19k', epochs: [], epochCount: 2, steps: 1000, seconds: 21, end: ending };
    return listResults(course).find(([name]) => name === 'Not all audited')?.[1];
  };
  expect(told(0, 40)).toBe('steps 0 to 39 hold sums of other nodes that were not computed again');
  expect(told(7, 8)).toBe('step 7 holds sums of other nodes that were not computed again');
});
