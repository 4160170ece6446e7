/**
 * Those who watch a run because its settings ask for them: opened before it begins, closed by it. Each is loaded when it is
 * asked for.
 */
import { RunControl, type RunObserver } from '@lockstep/core/seams';
import { RunFolder } from '@lockstep/watch/files';
import { quote } from '../fields/field.js';
import type { RunSettings } from '../settings/run-settings.js';
import { spellCommands } from '../terminal/spelling.js';
import { BestWeights } from './best-weights.js';
import { closeObservers, openObservers } from './open-observers.js';

export interface Watchers {
  readonly observers: readonly RunObserver[];
  readonly control: RunControl;
  /** Lines for the person who started the run. */
  readonly notes: readonly string[];
  /** The address of the live page with its key, if there is one. */
  readonly page: string | undefined;
  /** The folder of the run, if it has one or is going to. */
  readonly folder?: RunFolder | undefined;
  /** Keeps the best weights there. */
  readonly best?: BestWeights | undefined;
}

/** Those of a run's settings that decide who watches. */
export type WatchedSettings = Pick<RunSettings, 'dashboard' | 'watch' | 'resume'> &
  Partial<Pick<RunSettings, 'best' | 'runFolder' | 'keepsWeights'>> & {
    readonly model: { readonly name: string };
  };

export interface Surroundings {
  /** What it was begun with. */
  readonly command: string;
  /** How commands are spelled here. */
  readonly spelling: string;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
}

/** @throws LockstepError when a port or a file cannot be had; what was open until then is closed again */
export async function openWatchers(
  settings: WatchedSettings,
  { command, spelling, now }: Surroundings,
): Promise<Watchers> {
  const { dashboard, watch, runFolder, keepsWeights = false } = settings;
  const control = new RunControl();
  const notes: string[] = [];
  // other machines get metrics from a page only where they may look at it without a token, which is nowhere
  const isShowingMetrics = dashboard !== undefined && dashboard.token === undefined;
  const metrics = watch.metrics !== undefined || isShowingMetrics ? await createMetrics() : undefined;
  const resumedStep = settings.resume?.checkpoint.info.step;
  const ownFolder = runFolder === undefined ? undefined : new RunFolder(runFolder);
  const folder = watch.out === undefined ? ownFolder : RunFolder.at(watch.out);
  const tell = (line: string): void => void notes.push(line);
  const observers = await openObservers(watch, { resumedStep, ownFolder, metrics, tell });
  const best = folder && keepsWeights ? new BestWeights(folder, settings.best) : undefined;
  if (best !== undefined) observers.push(best);
  const opened = { observers, control, notes, folder, best };
  if (dashboard === undefined && folder === undefined) return { ...opened, page: undefined };
  const { Chronicler } = await import('@lockstep/watch/chronicle');
  const { createInputDrawer } = await import('./input-sheet.js');
  // before those who read what it writes
  const chronicler = new Chronicler({
    command,
    spell: (text) => spellCommands(text, spelling),
    now,
    startedAt: new Date().toISOString(),
    drawInputs: createInputDrawer,
  });
  observers.push(chronicler);
  if (folder !== undefined) {
    const { ReportFolder } = await import('@lockstep/watch/report');
    const commandOf = (path: string): string => spellCommands(`lockstep train --config ${quote(path)}`, spelling);
    observers.push(new ReportFolder(folder, chronicler, commandOf));
  }
  if (dashboard === undefined) return { ...opened, page: undefined };
  try {
    const { PageServer } = await import('@lockstep/watch/page');
    const runs = [{ name: settings.model.name, source: chronicler }];
    const answer = isShowingMetrics ? metrics?.answer : undefined;
    const page = await PageServer.open({ flag: '--dashboard', ...dashboard, runs, control, answer, tell });
    observers.push({ name: 'the live page', close: () => page.close() });
    notes.push(`Live page: ${page.address}`);
    return { ...opened, page: page.address };
  } catch (error) {
    await closeObservers(observers);
    throw error;
  }
}

async function createMetrics() {
  const { RunMetrics } = await import('@lockstep/watch/metrics');
  return new RunMetrics();
}
