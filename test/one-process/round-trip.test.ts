import fc from 'fast-check';
import { it } from 'vitest';
import { checkRoundTrip, randomRun } from './round-trip.ts';

/** A few; round-trip.slow.test.ts has many. */
const RUNS = 3;

it('what a random run of two steps wrote is read, with equal answers: weights, checkpoint, exports, pictures', async () => {
  await fc.assert(fc.asyncProperty(randomRun, checkRoundTrip), { numRuns: RUNS });
});

it('the same of a run whose data are arrays of NumPy', async () => {
  const ofArrays = randomRun.filter(({ form }) => form === 'npz');
  await fc.assert(fc.asyncProperty(ofArrays, checkRoundTrip), { numRuns: 1 });
});
