/** A thousand random models, spread over the builds: every gradient against float64. */
import { availableIsas } from '@lockstep/kernels';
import { describe, expect, it } from 'vitest';
import { checkRandomModels, MOST_UNJUDGED } from './test-random-programs.js';

const MODELS = 1000;

describe.each(availableIsas())('random models (%s)', (isa) => {
  it('have the gradients of float64, but for rounding', () => {
    const share = Math.ceil(MODELS / availableIsas().length);
    expect(checkRandomModels(share, isa) / share).toBeLessThan(MOST_UNJUDGED);
  });
});
