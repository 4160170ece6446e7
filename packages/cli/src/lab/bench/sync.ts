/** `lockstep bench sync`: how much of a step workers spend waiting for each other. */

import { findUsableCores } from '@lockstep/core/machine';
import { fixed } from '@lockstep/core/text';
import { formatTable } from '../../terminal/text-table.js';
import { BenchNode, fitCount, timeSeconds } from './measure/bench-node.js';
import { formatPercent, formatRate } from './measure/rate-text.js';
import { median } from './measure/statistics.js';
import { BENCH_BATCH, type Workload } from './measure/workload.js';

/** One repetition of training steps. */
export interface SyncSample {
  readonly steps: number;
  readonly seconds: number;
  /** CPU time of the whole process, user and system. */
  readonly cpuSeconds: number;
  /** [worker] seconds at barriers. */
  readonly waitSeconds: readonly number[];
}

export interface SyncFigures {
  readonly model: string;
  readonly workers: number;
  readonly imagesPerSecond: number;
  readonly stepMicroseconds: number;
  /**
   * Share of a step that a worker stands at barriers, the mean of the workers: for others that are still computing,
   * which with more workers than cores is for its turn on a core, and for the barrier itself.
   */
  readonly waitingShare: number;
  /** Share of the cores' time in which nothing of this process ran: what waiting really costs. A spin counts as running. */
  readonly idleShare: number;
}

/** Medians over repetitions. @param cores that the process may use */
export function summarizeSync(
  model: string,
  workers: number,
  cores: number,
  samples: readonly SyncSample[],
): SyncFigures {
  const used = Math.min(workers, cores);
  const stepSeconds = median(samples.map(({ seconds, steps }) => seconds / steps));
  return {
    model,
    workers,
    imagesPerSecond: BENCH_BATCH / stepSeconds,
    stepMicroseconds: 1e6 * stepSeconds,
    waitingShare: median(
      samples.map(({ waitSeconds, seconds }) => waitSeconds.reduce((a, b) => a + b, 0) / workers / seconds),
    ),
    idleShare: median(samples.map(({ cpuSeconds, seconds }) => Math.max(0, 1 - cpuSeconds / seconds / used))),
  };
}

/** Measures one model at one worker count. */
export async function measureSync(
  workload: Workload,
  workers: number,
  { seconds, repetitions }: { seconds: number; repetitions: number },
): Promise<SyncFigures> {
  const node = new BenchNode(workload, workers, { isTimed: true });
  try {
    const steps = await fitCount(seconds, (count) => node.trainSteps(count));
    const samples: SyncSample[] = [];
    for (let i = 0; i < repetitions; i++) {
      const before = node.readTotals();
      const cpuBefore = process.cpuUsage();
      const took = await timeSeconds(() => node.trainSteps(steps));
      const { user, system } = process.cpuUsage(cpuBefore);
      const waitSeconds = node.readTotals().map(({ waitMs }, i) => (waitMs - (before[i]?.waitMs ?? 0)) / 1000);
      samples.push({ steps, seconds: took, cpuSeconds: (user + system) / 1e6, waitSeconds });
    }
    return summarizeSync(workload.model.name, workers, findUsableCores().count, samples);
  } finally {
    await node.close();
  }
}

/** One line per model and worker count. */
export function formatSync(figures: readonly SyncFigures[]): string[] {
  const rows = figures.map((figure) => [
    figure.model,
    String(figure.workers),
    formatRate(figure.imagesPerSecond),
    fixed(figure.stepMicroseconds, 0),
    formatPercent(figure.waitingShare),
    formatPercent(figure.idleShare),
  ]);
  return formatTable([['Model', 'Workers', 'Images/s', 'us/step', 'At barriers', 'Cores idle'], ...rows], 'lrrrrr');
}
