/** The scalars of every update of a segment, worked out before it starts: a step then only copies a row. */
import { learningRateAt, optimizerScalars } from '@lockstep/core/run';
import type { Recipe } from '@lockstep/core/spec';
import { UPDATE_FIELDS, updateField } from '@lockstep/kernels';
import type { MemoryPlan } from './memory-plan.js';

/** As native/update.h has them. */
export const optimizerType = { sgd: 0, adam: 1, adamw: 2 } as const;

/** One row of the native update block per step of [firstStep, endStep). */
export function tabulateUpdates(
  recipe: Recipe,
  memory: MemoryPlan,
  stepsPerEpoch: number,
  firstStep: number,
  endStep: number,
): Float64Array {
  const table = new Float64Array((endStep - firstStep) * UPDATE_FIELDS);
  for (let step = firstStep; step < endStep; step++) {
    const row = table.subarray((step - firstStep) * UPDATE_FIELDS, (step - firstStep + 1) * UPDATE_FIELDS);
    const now = step % 2;
    const next = (step + 1) % 2;
    row[updateField.state] = memory.stateAt(now);
    row[updateField.nextState] = memory.stateAt(next);
    row[updateField.slot1] = memory.slotAt(1, now);
    row[updateField.nextSlot1] = memory.slotAt(1, next);
    row[updateField.slot2] = memory.slotAt(2, now);
    row[updateField.nextSlot2] = memory.slotAt(2, next);
    const scalars = optimizerScalars(recipe.optimizer, learningRateAt(recipe, step, stepsPerEpoch), step + 1);
    row[updateField.gradientScale] = 1;
    row[updateField.rounds] = recipe.gradientPrecision === 'bf16' ? 1 : 0;
    row[updateField.type] = optimizerType[scalars.type];
    for (const [name, value] of Object.entries(scalars)) {
      if (name !== 'type') row[updateField[name as keyof typeof updateField]] = Number(value);
    }
  }
  return table;
}
