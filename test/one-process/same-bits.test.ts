/** The same bits for any number of workers and any build of the kernels: with dropout, augmentation and short shards. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { availableIsas } from '../../packages/kernels/dist/index.js';
import { computeGoldenHash, describeRun, readGoldenRuns } from '../../tools/golden-runs.mjs';

/** More of them, for every run, in same-bits.slow.test.ts. */
const WORKER_COUNTS = [1, 3];
/** More workers than an epoch has shards in its last step; it is the starts of their threads that take long. */
const MANY_WORKERS = 8;
const RUN_OF_MANY = /^(net19k|lenet5), shards of 16/;
/** Shards of 32 differ in kernels only, not in scheduling. */
const FEW_WORKER_COUNTS = [3];
const HELP = 'if this change of the arithmetic is meant, run: node tools/golden-hashes.mjs';
/** Native builds beside the best, which all runs are on. */
const otherIsas = availableIsas()
  .slice(1)
  .filter((isa) => !isa.startsWith('wasm'));
/** A third or less of the speed: whole runs of all models on them are in same-bits-kernels.slow.test.ts. */
const RUN_OF_WASM = /^(tiny6k|lenet5), shards of 16$/;
const isasBeside = (name: string): readonly string[] =>
  RUN_OF_WASM.test(name) && availableIsas().includes('wasm') ? [...otherIsas, 'wasm'] : otherIsas;

afterEach(() => {
  vi.unstubAllEnvs();
});

const cases = readGoldenRuns().map((run) => ({ name: describeRun(run), run }));

/** cnn11m takes half a second a step: with shards of 16 on one build here, with shards of 32 on the other. */
function countWorkers({ model, recipe }: (typeof cases)[number]['run'], name: string): readonly number[] {
  if (model === 'cnn11m' && otherIsas.length > 0) return recipe.shardSize === 16 ? FEW_WORKER_COUNTS : [];
  if (recipe.shardSize !== 16 || model === 'cnn11m') return FEW_WORKER_COUNTS;
  return RUN_OF_MANY.test(name) ? [...WORKER_COUNTS, MANY_WORKERS] : WORKER_COUNTS;
}

describe.each(cases)('$name', ({ name, run }) => {
  it.each(countWorkers(run, name))('gives the golden hash with %i workers', async (workers) => {
    expect(await computeGoldenHash(run, workers), HELP).toBe(run.sha256);
  });

  it.each(run.model === 'cnn11m' && run.recipe.shardSize === 16 ? [] : isasBeside(name))(
    'gives the golden hash on the %s kernels',
    async (isa) => {
      vi.stubEnv('LOCKSTEP_ISA', isa);
      expect(await computeGoldenHash(run, 2), HELP).toBe(run.sha256);
    },
  );
});

// Kernels without a fused multiply-add are slow: two shards of them here, of the small models; the others and whole runs are in
// same-bits-kernels.slow.test.ts.
const short = cases.filter(
  ({ run }) => run.model !== 'cnn11m' && (run.model !== 'mynet' || run.recipe.shardSize === 16),
);

it.each(short)(
  '$name: one hash on all kernels after a step of a full shard and a shard of one image',
  async ({ run }) => {
    const images = (run.recipe.shardSize ?? 16) + 1;
    const hashes = [];
    for (const isa of availableIsas()) {
      vi.stubEnv('LOCKSTEP_ISA', isa);
      hashes.push(await computeGoldenHash({ ...run, images, steps: 1 }, 2));
    }
    expect(new Set(hashes).size).toBe(1);
  },
);
