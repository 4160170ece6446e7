/** Four hundred random models, spread over the builds: every gradient against float64. */
import { availableIsas } from '@lockstep/kernels';
import { describe, expect, it } from 'vitest';
import { checkRandomModels, MOST_UNJUDGED } from './test-random-programs.js';

/** Ten thousand on each build in random-programs.slow.test.ts, a million in a soak. */
const MODELS = 400;

describe('random models', () => {
  let unjudged = 0;

  it.each(availableIsas())('have the gradients of float64, but for rounding (%s)', async (isa) => {
    unjudged += await checkRandomModels(Math.ceil(MODELS / availableIsas().length), isa);
  });

  it('are seldom beyond judging', () => expect(unjudged / MODELS).toBeLessThan(MOST_UNJUDGED));
});
