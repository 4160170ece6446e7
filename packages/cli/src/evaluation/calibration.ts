/** Whether a network's confidence can be trusted: of predictions made with 90% confidence, are 90% right? */

import type { Prediction } from '@lockstep/core/events';
import { formatPercent } from '@lockstep/core/text';
import { formatTable } from '../terminal/text-table.js';

/** Predictions with a confidence in (from, to], the first bin with 0 too. */
export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Means over the bin; 0 for an empty one. */
  readonly confidence: number;
  readonly accuracy: number;
}

export interface Calibration {
  /**
   * Expected calibration error: the mean of |accuracy - confidence| over the bins, weighted by their counts (Guo et al.
   * 2017, On Calibration of Modern Neural Networks).
   */
  readonly expectedError: number;
  readonly bins: readonly ReliabilityBin[];
}

const BINS = 10;

export function measureCalibration(predictions: readonly Prediction[]): Calibration {
  const bins = Array.from({ length: BINS }, (_, index) => measureBin(predictions, index));
  const gaps = bins.reduce((sum, { count, confidence, accuracy }) => sum + count * Math.abs(accuracy - confidence), 0);
  return { expectedError: predictions.length > 0 ? gaps / predictions.length : 0, bins };
}

const binOf = (confidence: number): number => Math.min(BINS - 1, Math.max(0, Math.ceil(confidence * BINS) - 1));

function measureBin(predictions: readonly Prediction[], index: number): ReliabilityBin {
  const own = predictions.filter(({ confidence }) => binOf(confidence) === index);
  const mean = (value: (prediction: Prediction) => number): number =>
    own.length > 0 ? own.reduce((sum, prediction) => sum + value(prediction), 0) / own.length : 0;
  return {
    from: index / BINS,
    to: (index + 1) / BINS,
    count: own.length,
    confidence: mean(({ confidence }) => confidence),
    accuracy: mean(({ label, predicted }) => (label === predicted ? 1 : 0)),
  };
}

export function formatCalibration({ expectedError, bins }: Calibration): string[] {
  const rows = bins
    .filter(({ count }) => count > 0)
    .map(({ from, to, count, confidence, accuracy }) => [
      `${Math.round(100 * from)}-${Math.round(100 * to)}%`,
      String(count),
      `${formatPercent(confidence)}%`,
      `${formatPercent(accuracy)}%`,
    ]);
  return [
    `Calibration (expected calibration error: ${formatPercent(expectedError)}%)`,
    ...formatTable([['Confidence', 'Images', 'Mean', 'Right'], ...rows], 'lrrr'),
  ];
}
