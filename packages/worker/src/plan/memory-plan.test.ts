import { inferLayers } from '@lockstep/core/model';
import { ALIGNMENT, canonicalPartials, dealShards, planContribution, shardCount } from '@lockstep/core/run';
import { type Optimizer, optimizerSchema, recipeSchema } from '@lockstep/core/spec';
import { zooModels } from '@lockstep/core/zoo';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planMemory } from './memory-plan.js';

const layouts = zooModels.map(({ model }) => planContribution(inferLayers(model)));

const optimizers: [string, Optimizer, number][] = [
  ['sgd', optimizerSchema.parse({ type: 'sgd' }), 0],
  ['sgd with momentum', optimizerSchema.parse({ type: 'sgd', momentum: 0.9 }), 1],
  ['adam', optimizerSchema.parse({ type: 'adam' }), 2],
  ['adamw', optimizerSchema.parse({ type: 'adamw' }), 2],
];

describe.each(optimizers)('the memory of a node under %s', (_, optimizer, slotCount) => {
  const anyRun = fc.record({
    layout: fc.constantFrom(...layouts),
    batchSize: fc.integer({ min: 1, max: 5000 }),
    workers: fc.integer({ min: 1, max: 64 }),
  });

  it('holds every vector once, side by side, and nothing else', () => {
    fc.assert(
      fc.property(anyRun, ({ layout, batchSize, workers }) => {
        const memory = planMemory(layout, recipeSchema.parse({ optimizer, batchSize }), workers);
        const slots = ([1, 2] as const).filter((slot) => slot <= slotCount);
        const starts = [0, 1].flatMap((version) => [
          memory.stateAt(version),
          ...slots.map((slot) => memory.slotAt(slot, version)),
        ]);
        for (let worker = 0; worker < workers; worker++) {
          for (let partial = 0; partial < memory.partialsPerWorker; partial++) {
            starts.push(memory.partialsAt(worker) + partial * memory.vector);
          }
        }
        starts.sort((a, b) => a - b);
        expect(starts).toEqual(starts.map((_start, index) => index * memory.vector));
        expect(memory.vector * ALIGNMENT).toBe(layout.length);
        expect(memory.progressAt(0)).toBe(starts.length * memory.vector);
        expect(memory.progressAt(workers - 1)).toBe(memory.progressAt(0) + workers - 1);
        expect(memory.floats).toBe(starts.length * layout.length + workers * ALIGNMENT);
        expect(memory.slotCount).toBe(slotCount);
      }),
    );
  });

  it('gives each worker room for the partials of its range, in a full and in any shorter step', () => {
    fc.assert(
      fc.property(anyRun, fc.integer({ min: 1, max: 5000 }), ({ layout, batchSize, workers }, samples) => {
        const { partialsPerWorker } = planMemory(layout, recipeSchema.parse({ optimizer, batchSize }), workers);
        for (const size of [batchSize, Math.min(batchSize, samples)]) {
          for (const range of dealShards(shardCount(size, 16), workers)) {
            expect(canonicalPartials(range).length).toBeLessThan(partialsPerWorker);
          }
        }
      }),
    );
  });
});
