/** A folder with the bars' model and data in it, for all tests of a file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type Finished, type JsonEvent, readEvents, writeBars } from './digit-bars.ts';

export const BARS_TEST_COUNT = 90;

export interface BarsPlace {
  readonly folder: string;
  /** The model's file. */
  readonly model: string;
}

/** @param run the program in a folder, to its end */
export function useBars(run: (folder: string, argv: readonly string[]) => Promise<Finished>) {
  const place = { folder: '', model: '' };
  beforeAll(() => {
    place.folder = mkdtempSync(path.join(tmpdir(), 'lockstep-bars-'));
    place.model = writeBars(place.folder, 320, BARS_TEST_COUNT);
  });
  afterAll(() => rmSync(place.folder, { recursive: true }));
  const runThere = (...argv: string[]): Promise<Finished> => run(place.folder, argv);
  return {
    place: place as BarsPlace,
    run: runThere,
    train: (...argv: string[]): Promise<Finished> => runThere('train', place.model, '--data', place.folder, ...argv),
  };
}

export function findEvent(finished: Finished, name: string): JsonEvent {
  const found = readEvents(finished).find(({ event }) => event === name);
  if (found === undefined) throw new Error(`no ${name} in:\n${finished.out}\n${finished.error}`);
  return found;
}
