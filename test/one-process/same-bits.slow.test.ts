/** Every golden run, whole, on the portable kernels, and with every number of workers on the others. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { computeGoldenHash, describeRun, readGoldenRuns } from '../../tools/golden-runs.mjs';

afterEach(() => {
  vi.unstubAllEnvs();
});

const cases = readGoldenRuns().map((run) => ({ name: describeRun(run), run }));

describe.each(cases)('$name', ({ run }) => {
  it('gives the golden hash on the portable kernels', async () => {
    vi.stubEnv('LOCKSTEP_ISA', 'portable');
    expect(await computeGoldenHash(run, 2)).toBe(run.sha256);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 13])('gives the golden hash with %i workers', async (workers) => {
    expect(await computeGoldenHash(run, workers)).toBe(run.sha256);
  });
});
