/** Tests that need a cluster's own programs: skipped, under a name that says why, where these are missing. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'vitest';
import { findCacheFolder } from '../../packages/core/dist/files/index.js';

/** Fetches what pip and Go can get. */
export const SETUP_COMMAND = 'npm run setup:clusters';

/** A program that `npm run setup:clusters` has fetched, else one of that name on the PATH. */
export function clusterProgram(name: string): string {
  const folders = ['bin', 'venv/bin'].map((folder) => path.join(findCacheFolder(), 'clusters', folder, name));
  return folders.find((file) => existsSync(file)) ?? name;
}

/** Whether a program can be found on the PATH. */
export const hasProgram = (name: string): boolean => spawnSync('which', [name]).status === 0;

/**
 * As `describe`, when nothing is missing; LOCKSTEP_REQUIRE_CLUSTERS=1 makes what is missing a failure.
 *
 * @param missing what is not there and how to get it; undefined when all is there
 */
export function describeCluster(name: string, missing: string | undefined, tests: () => void): void {
  if (missing === undefined) {
    describe(name, tests);
    return;
  }
  describe(name, () => {
    if (process.env['LOCKSTEP_REQUIRE_CLUSTERS'] !== '1') {
      it.skip(missing, () => {});
      return;
    }
    it(missing, () => {
      throw new Error(missing);
    });
  });
}

/** What to install for programs that are not there. */
export function findMissing(programs: readonly string[], install: string): string | undefined {
  const missing = programs.filter((name) => !hasProgram(name));
  return missing.length === 0 ? undefined : `needs ${missing.join(', ')}: ${install}`;
}
