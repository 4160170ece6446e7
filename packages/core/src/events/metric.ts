/** The numbers of an epoch by which a run can be judged: to keep the best checkpoint, to stop when nothing gets better. */
import type { EpochEvent } from './events.js';

interface Metric {
  readonly isHigherBetter: boolean;
  /** Undefined when the epoch has no such number. */
  read(epoch: EpochEvent): number | undefined;
}

const metrics = {
  testAccuracy: { isHigherBetter: true, read: (epoch) => epoch.testAccuracy },
  testLoss: { isHigherBetter: false, read: (epoch) => epoch.testLoss },
  validationAccuracy: { isHigherBetter: true, read: (epoch) => epoch.validation?.accuracy },
  validationLoss: { isHigherBetter: false, read: (epoch) => epoch.validation?.loss },
  emaTestAccuracy: { isHigherBetter: true, read: (epoch) => epoch.ema?.testAccuracy },
  emaTestLoss: { isHigherBetter: false, read: (epoch) => epoch.ema?.testLoss },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof metrics;

export const metricNames = Object.keys(metrics) as MetricName[];

export interface BestEpoch {
  /** From 1. */
  readonly epoch: number;
  readonly value: number;
}

/** The best epoch by a metric, the first of equals; undefined when no epoch has it. */
export function findBestEpoch(epochs: readonly EpochEvent[], name: MetricName): BestEpoch | undefined {
  const metric: Metric = metrics[name];
  let best: BestEpoch | undefined;
  for (const event of epochs) {
    const value = metric.read(event);
    if (value === undefined || Number.isNaN(value)) continue;
    const isBetter = best === undefined || (metric.isHigherBetter ? value > best.value : value < best.value);
    if (isBetter) best = { epoch: event.epoch, value };
  }
  return best;
}

/** Epochs since the best one. */
export const epochsWithoutGain = (epochs: readonly EpochEvent[], name: MetricName): number =>
  epochs.length - (findBestEpoch(epochs, name)?.epoch ?? 0);
