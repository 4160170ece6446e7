import fc from 'fast-check';
import { it } from 'vitest';
import { checkRoundTrip, randomRun } from './round-trip.ts';

const RUNS = 60;

it('what random runs of two steps wrote is read, with equal answers: weights, checkpoint, exports, pictures', async () => {
  await fc.assert(fc.asyncProperty(randomRun, checkRoundTrip), { numRuns: RUNS });
}, 1_800_000);
