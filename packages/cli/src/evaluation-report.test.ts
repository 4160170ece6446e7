import { describe, expect, it } from 'vitest';
import { formatReport, reportEvaluation } from './evaluation-report.js';
import type { EvaluateResult, Prediction } from './session.js';

const predict = (index: number, label: number, predicted: number, confidence: number): Prediction => ({
  index,
  label,
  predicted,
  confidence,
});

/** Three classes, the last without a sample. */
const result: EvaluateResult = {
  loss: 0.25,
  correct: 3,
  total: 6,
  predictions: [
    predict(0, 0, 0, 0.99),
    predict(1, 0, 1, 0.7),
    predict(2, 1, 0, 0.9),
    predict(3, 1, 1, 0.8),
    predict(4, 1, 2, 0.9),
    predict(5, 0, 0, 0.6),
  ],
};

describe('reportEvaluation', () => {
  it('counts labels against predictions', () => {
    const { confusion, accuracy } = reportEvaluation(result, 3, 10);
    expect(accuracy).toBe(0.5);
    expect(confusion).toEqual([
      [2, 1, 0],
      [1, 1, 1],
      [0, 0, 0],
    ]);
  });

  it('gives each class its accuracy, 0 to one without samples', () => {
    expect(reportEvaluation(result, 3, 10).classes).toEqual([
      { label: 0, correct: 2, total: 3, accuracy: 2 / 3 },
      { label: 1, correct: 1, total: 3, accuracy: 1 / 3 },
      { label: 2, correct: 0, total: 0, accuracy: 0 },
    ]);
  });

  it('lists the most confident mistakes first, of equals the earlier sample', () => {
    const indices = (count: number): number[] => reportEvaluation(result, 3, count).mistakes.map(({ index }) => index);
    expect(indices(10)).toEqual([2, 4, 1]);
    expect(indices(2)).toEqual([2, 4]);
  });
});

describe('formatReport', () => {
  it('prints totals, an aligned matrix with accuracies, and mistakes', () => {
    expect(formatReport(reportEvaluation(result, 3, 2), 'Test set')).toEqual([
      'Test set: Average loss: 0.2500, Accuracy: 3/6 (50.00%)',
      '',
      'Confusion matrix (rows: label, columns: prediction)',
      '   0  1  2  Accuracy',
      '0  2  1  .    66.67%',
      '1  1  1  1    33.33%',
      '2  .  .  .         -',
      '',
      'Most confident mistakes (2 of 3)',
      'Index  Label  Predicted  Confidence',
      '    2      1          0      90.00%',
      '    4      1          2      90.00%',
    ]);
  });

  it('says so when there are no mistakes', () => {
    const flawless = { loss: 0, correct: 1, total: 1, predictions: [predict(0, 1, 1, 1)] };
    expect(formatReport(reportEvaluation(flawless, 2, 10), 'Test set').at(-1)).toBe('No mistakes.');
  });
});
