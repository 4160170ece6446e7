import { describe, expect, it } from 'vitest';
import type { EvaluateResult, Prediction } from '../api/session.js';
import { formatReport, reportEvaluation } from './evaluation-report.js';

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

const NAMES = ['cat', 'dog', 'owl'];

describe('reportEvaluation', () => {
  it('counts labels against predictions', () => {
    const { confusion, accuracy } = reportEvaluation(result, NAMES, 10);
    expect(accuracy).toBe(0.5);
    expect(confusion).toEqual([
      [2, 1, 0],
      [1, 1, 1],
      [0, 0, 0],
    ]);
  });

  it('gives each class precision, recall and F1, 0 to one without samples', () => {
    expect(reportEvaluation(result, NAMES, 10).classes).toEqual([
      { label: 0, name: 'cat', correct: 2, total: 3, recall: 2 / 3, precision: 2 / 3, f1: 2 / 3 },
      { label: 1, name: 'dog', correct: 1, total: 3, recall: 1 / 3, precision: 1 / 2, f1: expect.closeTo(0.4, 12) },
      { label: 2, name: 'owl', correct: 0, total: 0, recall: 0, precision: 0, f1: 0 },
    ]);
  });

  it('lists the most confident mistakes first, of equals the earlier sample', () => {
    const indices = (count: number): number[] =>
      reportEvaluation(result, NAMES, count).mistakes.map(({ index }) => index);
    expect(indices(10)).toEqual([2, 4, 1]);
    expect(indices(2)).toEqual([2, 4]);
  });
});

describe('formatReport', () => {
  it('prints totals, an aligned matrix, scores, calibration and mistakes under the names of the classes', () => {
    expect(formatReport(reportEvaluation(result, NAMES, 2), 'Test set')).toEqual([
      'Test set: Average loss: 0.2500, Accuracy: 3/6 (50.00%)',
      '',
      'Confusion matrix (rows: label, columns: prediction)',
      '     cat  dog  owl',
      'cat    2    1    .',
      'dog    1    1    1',
      'owl    .    .    .',
      '',
      'Class  Images  Precision  Recall      F1',
      'cat         3     66.67%  66.67%  66.67%',
      'dog         3     50.00%  33.33%  40.00%',
      'owl         0          -       -       -',
      '',
      'Calibration (expected calibration error: 51.83%)',
      'Confidence  Images    Mean    Right',
      '50-60%           1  60.00%  100.00%',
      '60-70%           1  70.00%    0.00%',
      '70-80%           1  80.00%  100.00%',
      '80-90%           2  90.00%    0.00%',
      '90-100%          1  99.00%  100.00%',
      '',
      'Most confident mistakes (2 of 3)',
      'Index  Label  Predicted  Confidence',
      '    2    dog        cat      90.00%',
      '    4    dog        owl      90.00%',
    ]);
  });

  it('lists the commonest confusions when a matrix would be too wide', () => {
    const names = Array.from({ length: 21 }, (_, index) => `c${index}`);
    const lines = formatReport(reportEvaluation(result, names, 0), 'Test set');
    expect(lines).toContain('Commonest confusions (3 of 3)');
    expect(lines).toContain('c1     c0              1');
  });

  it('says so when there are no mistakes', () => {
    const flawless = { loss: 0, correct: 1, total: 1, predictions: [predict(0, 1, 1, 1)] };
    expect(formatReport(reportEvaluation(flawless, ['0', '1'], 10), 'Test set').at(-1)).toBe('No mistakes.');
  });
});
