import { inferLayers } from '@lockstep/core/model';
import { learningRateAt, optimizerScalars, planContribution } from '@lockstep/core/run';
import { type RecipeInput, recipeSchema } from '@lockstep/core/spec';
import { zooModels } from '@lockstep/core/zoo';
import { UPDATE_FIELDS, updateField } from '@lockstep/kernels';
import { describe, expect, it } from 'vitest';
import { planMemory } from './memory-plan.js';
import { tabulateUpdates } from './update-table.js';

const layout = planContribution(inferLayers(zooModels[0]!.model));
const STEPS_PER_EPOCH = 5;

const recipes: [string, RecipeInput][] = [
  ['sgd', { optimizer: { type: 'sgd' }, schedule: { type: 'step', every: 1, gamma: 0.5 } }],
  ['sgd with momentum', { optimizer: { type: 'sgd', momentum: 0.9, nesterov: true }, warmupSteps: 3 }],
  ['adam', { optimizer: { type: 'adam', weightDecay: 0.1 }, schedule: { type: 'cosine' } }],
  ['adamw', { optimizer: { type: 'adamw' }, schedule: { type: 'one-cycle' } }],
];

describe.each(recipes)('the update table of %s', (_, input) => {
  const recipe = recipeSchema.parse({ epochs: 3, ...input });
  const memory = planMemory(layout, recipe, 2);
  const rows = (first: number, end: number) => {
    const table = tabulateUpdates(recipe, memory, STEPS_PER_EPOCH, first, end);
    return Array.from({ length: end - first }, (_row, i) => [
      ...table.subarray(i * UPDATE_FIELDS, (i + 1) * UPDATE_FIELDS),
    ]);
  };

  it('has the same row for a step wherever the segment starts', () => {
    const all = rows(0, 3 * STEPS_PER_EPOCH);
    for (const [first, end] of [
      [0, 5],
      [3, 4],
      [7, 15],
    ] as const) {
      expect(rows(first, end)).toEqual(all.slice(first, end));
    }
  });

  it('reads version t % 2 and writes the other, of the state and of every slot', () => {
    rows(0, 4).forEach((row, step) => {
      const at = (field: keyof typeof updateField): number => row[updateField[field]] as number;
      expect([at('state'), at('nextState')]).toEqual([memory.stateAt(step % 2), memory.stateAt((step + 1) % 2)]);
      for (const slot of [1, 2] as const) {
        expect(at(`slot${slot}`)).toBe(memory.slotAt(slot, step % 2));
        expect(at(`nextSlot${slot}`)).toBe(memory.slotAt(slot, (step + 1) % 2));
      }
    });
  });

  it("carries core's scalars at core's rate, counted from step 1", () => {
    rows(0, 3 * STEPS_PER_EPOCH).forEach((row, step) => {
      const rate = learningRateAt(recipe, step, STEPS_PER_EPOCH);
      const { type: _type, ...scalars } = optimizerScalars(recipe.optimizer, rate, step + 1);
      for (const [name, value] of Object.entries(scalars)) {
        expect(row[updateField[name as keyof typeof updateField]], name).toBe(Number(value));
      }
    });
  });
});
