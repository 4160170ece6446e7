/** Random models on all builds: every gradient against float64, the same bits on each build. */
import { availableIsas } from '@lockstep/kernels';
import { expect, it } from 'vitest';
import { checkRandomModels, MOST_UNJUDGED } from './test-random-programs.js';

/** Ten thousand in random-programs.slow.test.ts, a million in a soak. */
const MODELS = 200;
const ISAS = availableIsas();

it('random models have the gradients of float64, but for rounding, and the same bits on all kernels but the slowest', async () => {
  expect((await checkRandomModels(MODELS, ISAS)) / MODELS).toBeLessThan(MOST_UNJUDGED);
});
