/** The epochs of a run as a table that spreadsheets read: one row each, empty where a run has no such figure. */
import type { EpochEvent } from '@lockstep/core/events';

type Column = (epoch: EpochEvent, stepsPerEpoch: number) => number | undefined;

const columns: Readonly<Record<string, Column>> = {
  epoch: ({ epoch }) => epoch,
  step: ({ epoch }, stepsPerEpoch) => epoch * stepsPerEpoch,
  learningRate: ({ learningRate }) => learningRate,
  trainLoss: ({ trainLoss }) => trainLoss,
  trainAccuracy: ({ trainAccuracy }) => trainAccuracy,
  validationLoss: ({ validation }) => validation?.loss,
  validationAccuracy: ({ validation }) => validation?.accuracy,
  testLoss: ({ testLoss }) => testLoss,
  testAccuracy: ({ testAccuracy }) => testAccuracy,
  emaTestLoss: ({ ema }) => ema?.testLoss,
  emaTestAccuracy: ({ ema }) => ema?.testAccuracy,
  emaValidationLoss: ({ ema }) => ema?.validation?.loss,
  emaValidationAccuracy: ({ ema }) => ema?.validation?.accuracy,
  seconds: ({ seconds }) => seconds,
  imagesPerSecond: ({ imagesPerSecond }) => imagesPerSecond,
};

/** CSV by RFC 4180, with a header. */
export function formatHistory(epochs: readonly EpochEvent[], stepsPerEpoch: number): string {
  const rows = epochs.map((epoch) => Object.values(columns).map((column) => column(epoch, stepsPerEpoch) ?? ''));
  return [Object.keys(columns), ...rows].map((row) => `${row.join(',')}\r\n`).join('');
}
