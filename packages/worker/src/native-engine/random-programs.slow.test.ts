/** Ten thousand random models on every build that this machine runs; see also test/random-programs. */
import { availableIsas } from '@lockstep/kernels';
import { expect, it } from 'vitest';
import { checkRandomModels, MOST_UNJUDGED } from './test-random-programs.js';

const MODELS = 10_000;

it.each(availableIsas())(
  'ten thousand random models (%s) have the gradients of float64, but for rounding',
  async (isa) => {
    expect((await checkRandomModels(MODELS, isa)) / MODELS).toBeLessThan(MOST_UNJUDGED);
  },
);
