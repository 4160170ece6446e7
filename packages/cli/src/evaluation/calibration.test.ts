import { describe, expect, it } from 'vitest';
import { measureCalibration } from './calibration.js';

const predict = (confidence: number, isRight: boolean, index = 0) => ({
  index,
  label: 1,
  predicted: isRight ? 1 : 0,
  confidence,
});

describe('measureCalibration', () => {
  it('is 0 where the confidence is the share of right predictions', () => {
    const four = [true, true, true, false].map((isRight) => predict(0.75, isRight));
    expect(measureCalibration(four).expectedError).toBeCloseTo(0, 12);
  });

  it('weighs the gaps of its bins by how many predictions they hold', () => {
    const predictions = [predict(0.9, false), predict(0.35, true), predict(0.35, true), predict(0.35, false)];
    // bins: one with a gap of 0.9, three with |2/3 - 0.35|
    expect(measureCalibration(predictions).expectedError).toBeCloseTo((0.9 + 3 * (2 / 3 - 0.35)) / 4, 12);
  });

  it('puts a confidence on the border of two bins into the lower one, and 0 and 1 into the outermost', () => {
    const { bins } = measureCalibration([predict(0, true), predict(0.1, true), predict(0.5, true), predict(1, true)]);
    expect(bins.map(({ count }) => count)).toEqual([2, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
  });

  it('has no error when there are no predictions', () => {
    expect(measureCalibration([]).expectedError).toBe(0);
  });
});
