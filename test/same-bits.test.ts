/** The same bits for any number of workers and any build of the kernels: with dropout, augmentation and short shards. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { availableIsas } from '../packages/kernels/dist/index.js';
import { computeGoldenHash, type GoldenRun, readGoldenRuns } from '../tools/golden-runs.mjs';

const WORKER_COUNTS = [1, 2, 3, 5, 8];
/** Of shards of 32, which differ from those of 16 in kernels only: one thread, and ranges that start at odd shards. */
const FEW_WORKER_COUNTS = [1, 3];
const isSlow = process.env['LOCKSTEP_SLOW'] === '1';

afterEach(() => {
  vi.unstubAllEnvs();
});

const describeRun = ({ model, recipe }: GoldenRun): string => `${model}, shards of ${recipe.shardSize}`;
const HELP = 'golden hashes: if this change of the arithmetic is meant, run node tools/golden-hashes.mjs';

const cases = readGoldenRuns().map((run) => ({ name: describeRun(run), run }));

describe.each(cases)('$name', ({ run }) => {
  const counts = run.recipe.shardSize === 16 || isSlow ? WORKER_COUNTS : FEW_WORKER_COUNTS;

  it.each(counts)('gives the golden hash with %i workers', async (workers) => {
    expect(await computeGoldenHash(run, workers), HELP).toBe(run.sha256);
  });

  it.each(availableIsas())('gives the golden hash on the %s kernels', async (isa) => {
    vi.stubEnv('LOCKSTEP_ISA', isa);
    expect(await computeGoldenHash(run, 2), HELP).toBe(run.sha256);
  });
});
