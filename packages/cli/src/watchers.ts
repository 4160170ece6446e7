/** Those who watch a run because its settings ask for them: opened before it begins, closed by it. */
import { Chronicler, PageServer } from '@lockstep/coordinator';
import { RunControl, type RunObserver } from '@lockstep/core';
import { createInputDrawer } from './input-sheet.js';
import type { RunSettings } from './run-settings.js';

export interface Watchers {
  readonly observers: readonly RunObserver[];
  readonly control: RunControl;
  /** Lines for the person who started the run. */
  readonly notes: readonly string[];
}

export interface Surroundings {
  /** How to run it again. */
  readonly command: string;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
}

/** @throws LockstepError when a port or a file cannot be had */
export async function openWatchers(settings: RunSettings, surroundings: Surroundings): Promise<Watchers> {
  const { dashboard } = settings;
  const control = new RunControl();
  if (dashboard === undefined) return { observers: [], control, notes: [] };
  const startedAt = new Date().toISOString();
  const chronicler = new Chronicler({ ...surroundings, startedAt, drawInputs: createInputDrawer });
  const runs = [{ name: settings.model.name, source: chronicler }];
  const page = await PageServer.open({ ...dashboard, runs, control });
  const closer: RunObserver = { name: 'the live page', close: () => page.close() };
  return { observers: [chronicler, closer], control, notes: [`Live page: ${page.url}`] };
}
