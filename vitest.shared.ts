import { defineConfig } from 'vitest/config';

const isSlow = process.env['LOCKSTEP_SLOW'] === '1';

/** What every vitest run shares; `folders` are the globs of the folders its tests are in. */
export function configureTests(folders: string[], { atOnce }: { atOnce?: number } = {}) {
  const kind = isSlow ? '.slow.test' : '.test';
  return defineConfig({
    test: {
      include: folders.map((folder) => `${folder}/**/*${kind}.{ts,mjs}`),
      exclude: ['**/node_modules/**', ...(isSlow ? [] : ['**/*.slow.test.*'])],
      passWithNoTests: isSlow,
      // Processes, not threads: native addons and worker threads of our own live in them, and process.exit is tested.
      pool: 'forks',
      ...(atOnce !== undefined && !isSlow && { maxWorkers: atOnce }),
      // no measure of speed: a busy machine must not fail a test that is right
      testTimeout: isSlow ? 1_800_000 : 180_000,
      hookTimeout: isSlow ? 1_800_000 : 180_000,
      reporters: ['default', ['json', { outputFile: 'test-report.json' }]],
    },
  });
}
