/** Every golden run, whole, on every build of the kernels. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { availableIsas } from '../../packages/kernels/dist/index.js';
import { computeGoldenHash, describeRun, readGoldenRuns } from '../../tools/golden-runs.mjs';

afterEach(() => {
  vi.unstubAllEnvs();
});

const cases = readGoldenRuns().map((run) => ({ name: describeRun(run), run }));

describe.each(cases)('$name', ({ run }) => {
  it.each(availableIsas().slice(1))('gives the golden hash on the %s kernels', async (isa) => {
    vi.stubEnv('LOCKSTEP_ISA', isa);
    // a step of cnn11m takes a minute without a fused multiply-add
    vi.stubEnv('LOCKSTEP_STALL_MS', '600000');
    expect(await computeGoldenHash(run, 2)).toBe(run.sha256);
  });
});
