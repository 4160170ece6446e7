/**
 * Opens everything that is to watch a run; what is wrong with a path or a port is told before the run starts. What needs a
 * library is loaded when it is asked for.
 */
import type { RunObserver } from '@lockstep/core/seams';
import { createOutFolder, openOutFolder, type RunFolder } from '@lockstep/watch/files';
import type { RunMetrics } from '@lockstep/watch/metrics';
import { openTraceFile } from '@lockstep/watch/trace';
import type { WatchSettings } from '../fields/watch-fields.js';

export interface WatchContext {
  /** Steps committed in the checkpoint that the run goes on from: its files are added to from there. */
  readonly resumedStep: number | undefined;
  /** That the run makes for itself, if it does. */
  readonly ownFolder?: RunFolder | undefined;
  /** Of the run, if anybody is to see them. */
  readonly metrics: RunMetrics | undefined;
  /** Takes lines for the person who started the run, such as where a port is. */
  readonly tell: (line: string) => void;
}

/** @throws LockstepError; what was open until then is closed again */
export async function openObservers(
  settings: WatchSettings,
  { resumedStep, ownFolder, metrics, tell }: WatchContext,
): Promise<RunObserver[]> {
  const { out, tensorboard, trace, logFile, logLevel } = settings;
  const openers: (() => Promise<RunObserver>)[] = [];
  if (out !== undefined) openers.push(() => openOutFolder(out, resumedStep, tell));
  if (ownFolder !== undefined) openers.push(async () => createOutFolder(ownFolder, resumedStep));
  if (tensorboard !== undefined) {
    openers.push(async () =>
      (await import('@lockstep/watch/tensorboard')).openTensorBoardFolder(tensorboard, resumedStep),
    );
  }
  if (trace !== undefined) openers.push(() => openTraceFile(trace));
  if (logFile !== undefined) {
    openers.push(async () => (await import('@lockstep/watch/log')).openRunLog(logFile, logLevel, resumedStep, tell));
  }
  if (settings.metrics && metrics) {
    const address = settings.metrics;
    openers.push(async () => (await import('@lockstep/watch/metrics')).openMetricsServer(metrics, address, tell));
  }
  const observers: RunObserver[] = metrics ? [metrics] : [];
  try {
    for (const open of openers) observers.push(await open());
    return observers;
  } catch (error) {
    await closeObservers(observers);
    throw error;
  }
}

export async function closeObservers(observers: readonly RunObserver[]): Promise<void> {
  for (const observer of observers) await observer.close?.();
}
