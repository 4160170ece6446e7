/** Ten thousand random models on every build that this machine runs; see also test/random-programs. */
import { availableIsas } from '@lockstep/kernels';
import { expect, it } from 'vitest';
import { checkRandomModels, MOST_UNJUDGED } from './test-random-programs.js';

const MODELS = 10_000;

it('ten thousand random models have the gradients of float64, but for rounding, and the same bits on all kernels', async () => {
  expect((await checkRandomModels(MODELS, availableIsas())) / MODELS).toBeLessThan(MOST_UNJUDGED);
});
