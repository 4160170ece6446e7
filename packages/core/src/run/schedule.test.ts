import { describe, expect, it } from 'vitest';
import { type RecipeInput, recipeSchema } from '../spec/recipe.js';
import { findRecipe, findZooModel } from '../zoo/zoo.js';
import { learningRateAt } from './schedule.js';

/** Rates of the first steps of a run of one epoch. */
const rates = (stepCount: number, recipe: RecipeInput): number[] => {
  const parsed = recipeSchema.parse({ epochs: 1, learningRate: 1, ...recipe });
  return Array.from({ length: stepCount }, (_, step) => learningRateAt(parsed, step, stepCount));
};

const expectClose = (given: number[], expected: number[]): void => {
  expect(given).toHaveLength(expected.length);
  // A few roundings of doubles no larger than 1.
  for (const [index, rate] of given.entries()) expect(Math.abs(rate - (expected[index] as number))).toBeLessThan(1e-15);
};

describe('learningRateAt', () => {
  it('stays where it is with a constant schedule', () => {
    expect(rates(3, { schedule: { type: 'constant' } })).toEqual([1, 1, 1]);
  });

  it('follows StepLR as the log of net19k prints it: 0.025, from epoch 10 on 0.00375, in epoch 19 0.0005625', () => {
    const recipe = findRecipe(findZooModel('net19k'), 'author');
    const rateOfEpoch = (epoch: number): number => learningRateAt(recipe, (epoch - 1) * 469, 469);
    expect([1, 9, 10, 18, 19].map(rateOfEpoch).map((rate) => rate.toPrecision(12))).toEqual(
      [0.025, 0.025, 0.00375, 0.00375, 0.0005625].map((rate) => rate.toPrecision(12)),
    );
    expect(learningRateAt(recipe, 9 * 469 - 1, 469)).toBe(0.025);
  });

  it('follows CosineAnnealingLR over eight steps: (1 + cos(pi t / 8)) / 2', () => {
    expectClose(
      rates(8, { schedule: { type: 'cosine' } }),
      [
        1, 0.9619397662556434, 0.8535533905932737, 0.6913417161825449, 0.5, 0.30865828381745514, 0.14644660940672627,
        0.03806023374435663,
      ],
    );
  });

  it('ends CosineAnnealingLR above its minimum: 0.2 + 0.8 * (1 + cos(3 pi / 4)) / 2', () => {
    expectClose(rates(4, { schedule: { type: 'cosine', minimum: 0.2 } }).slice(3), [0.2 + 0.8 * 0.14644660940672627]);
  });

  it('follows OneCycleLR with cosines: ten steps, peak at step 0.3 * 10 - 1 = 2', () => {
    // torch: start 1/25, end 1/25/1e4; up with parts 0, 1/2, 1; down with parts 1/7, 2/7, ..., 1.
    expectClose(
      rates(10, { schedule: { type: 'one-cycle' } }),
      [
        0.04, 0.52, 1, 0.9504846320134737, 0.8117456539497631, 0.6112620219362893, 0.38874197806371075,
        0.18825834605023697, 0.049519367986526286, 4e-6,
      ],
    );
  });

  it('follows OneCycleLR with lines: ten steps, peak at step 0.4 * 10 - 1 = 3', () => {
    const schedule = { type: 'one-cycle', rise: 0.4, divFactor: 10, finalDivFactor: 100, anneal: 'linear' } as const;
    expectClose(rates(10, { schedule }), [0.1, 0.4, 0.7, 1, 0.8335, 0.667, 0.5005, 0.334, 0.1675, 0.001]);
  });

  it('follows OneCycleLR when its peak lies before step 0: two steps, peak at 0.3 * 2 - 1 = -0.4', () => {
    expectClose(rates(2, { schedule: { type: 'one-cycle' } }), [0.811745653949763, 4e-6]);
  });

  it('starts at the peak where OneCycleLR would divide by zero: two steps, peak at 0.5 * 2 - 1 = 0', () => {
    expectClose(rates(2, { schedule: { type: 'one-cycle', rise: 0.5 } }), [1, 4e-6]);
  });

  it('scales the first steps by (step + 1) / (warmupSteps + 1)', () => {
    expect(rates(5, { warmupSteps: 3 })).toEqual([0.25, 0.5, 0.75, 1, 1]);
    const cosine = { schedule: { type: 'cosine' } } as const;
    const [, warm] = rates(8, { ...cosine, warmupSteps: 3 });
    expect(warm).toBe((rates(8, cosine)[1] as number) / 2);
  });

  it('keeps the last rate after the last step', () => {
    const recipe = recipeSchema.parse({ epochs: 2, learningRate: 1, schedule: { type: 'one-cycle' } });
    expect(learningRateAt(recipe, 25, 10)).toBe(learningRateAt(recipe, 19, 10));
  });
});
