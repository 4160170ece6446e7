import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const isSlow = process.env['LOCKSTEP_SLOW'] === '1';
/** Rounds of what draws at random, quick and slow: tools/soak.mjs. */
const isSoak = process.env['LOCKSTEP_SOAK'] !== undefined;
const isLong = isSlow || isSoak;
const SEED_FILE = fileURLToPath(new URL('./vitest.seed.ts', import.meta.url));

/**
 * What every vitest run shares; `folders` are the globs of the folders its tests are in. With `isTogether` its files run in one
 * process one after the other, which saves its start for each: they leave nothing behind that another would see.
 */
export function configureTests(
  folders: string[],
  { atOnce, isTogether = false }: { atOnce?: number; isTogether?: boolean } = {},
) {
  const kind = isSlow ? '.slow.test' : '.test';
  return defineConfig({
    test: {
      include: folders.map((folder) => `${folder}/**/*${kind}.{ts,mjs}`),
      exclude: ['**/node_modules/**', ...(isLong ? [] : ['**/*.slow.test.*'])],
      passWithNoTests: isSlow,
      // a test that comes to its end without one, since a list was empty or a branch not taken, has shown nothing
      expect: { requireAssertions: true },
      setupFiles: process.env['LOCKSTEP_SEED'] === undefined ? [] : [SEED_FILE],
      // Processes, not threads: native addons and worker threads of our own live in them, and process.exit is tested.
      pool: 'forks',
      isolate: !isTogether,
      // two of the long ones at once: most of their time is one thread's
      ...(isLong ? { maxWorkers: 2 } : atOnce !== undefined && { maxWorkers: atOnce }),
      // no measure of speed: a busy machine must not fail a test that is right
      testTimeout: isLong ? 1_800_000 : 180_000,
      hookTimeout: isLong ? 1_800_000 : 180_000,
      reporters: isSoak ? ['dot'] : ['default', ['json', { outputFile: 'test-report.json' }]],
    },
  });
}
