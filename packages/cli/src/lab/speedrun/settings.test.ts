import { describe, expect, it } from 'vitest';
import { resolveSpeedrun } from './settings.js';
import { resolveTarget, targets } from './targets.js';

const resolve = (options: Record<string, unknown>) => resolveSpeedrun(options, 2);

describe('resolveSpeedrun', () => {
  it('runs to 99.4% twenty times on every core, without PyTorch', () => {
    expect(resolve({})).toMatchObject({ target: { accuracy: 0.994 }, runs: 20, workers: 2, python: undefined });
  });

  it('takes the accuracies that there is a recipe for', () => {
    for (const { accuracy } of targets) expect(resolve({ target: String(accuracy) }).target.accuracy).toBe(accuracy);
    expect(() => resolve({ target: '0.9999' })).toThrow(/--target 0.9999: must be one of 0.99, /);
  });

  it('refuses a number of PyTorch runs without an interpreter', () => {
    expect(() => resolve({ torchRuns: '2' })).toThrow(/--torch-runs needs --python/);
  });
});

describe('the recipe of each target', () => {
  it.each(targets)('$accuracy ends with its one look at the test set: a fixed number of epochs', (target) => {
    const { recipe } = resolveTarget(target);
    expect(recipe.schedule.type).toBe('one-cycle');
  });
});
