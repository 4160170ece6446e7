/** Every golden run, whole, with every number of workers on the best build of the kernels. */
import { describe, expect, it } from 'vitest';
import { computeGoldenHash, describeRun, readGoldenRuns } from '../../tools/golden-runs.mjs';

const cases = readGoldenRuns().map((run) => ({ name: describeRun(run), run }));

describe.each(cases)('$name', ({ run }) => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 13])('gives the golden hash with %i workers', async (workers) => {
    expect(await computeGoldenHash(run, workers)).toBe(run.sha256);
  });
});
