/** The gradient's sum of squares against its definition in packages/kernels/native/average.h, bit by bit. */
import { inferLayers } from '@lockstep/core/model';
import { planContribution, planFold } from '@lockstep/core/run';
import { parseModelSpec } from '@lockstep/core/spec';
import { allocateAligned, availableIsas, loadKernels, ProgramBuilder, place, SQUARES_CHUNK } from '@lockstep/kernels';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planSquares } from '../plan/step-plan.js';
import { randomValues } from '../reference/random-values.js';

const LANES = 8;

/** Chunks of 4096 from the start; element i in lane i % 8; each quotient rounded to float32, all else in double. */
function sumByDefinition(gradient: Float32Array, samples: number): number {
  const lanes = new Float64Array(LANES);
  gradient.forEach((value, i) => {
    const quotient = Math.fround(value / samples);
    lanes[i % LANES] = (lanes[i % LANES] as number) + quotient * quotient;
  });
  return lanes.reduce((sum, lane) => sum + lane, 0);
}

describe.each(availableIsas())('on the %s kernels', (isa) => {
  it('the sum of a chunk is that of its definition, whatever its length', () => {
    const kernels = loadKernels(isa);
    const arena = allocateAligned(2 * SQUARES_CHUNK, kernels.memory);
    const program = new ProgramBuilder(1, 1).finish(0);
    const bytes = place(new Uint8Array(1), kernels.memory);
    const handle = kernels.createEngine(program, arena, bytes, bytes, place(new Int32Array(1), kernels.memory));
    const fold = Int32Array.from(planFold([{ begin: 0, end: 1 }]));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: SQUARES_CHUNK }),
        fc.integer({ min: 1, max: 1000 }),
        fc.nat(),
        (length, samples, seed) => {
          arena.set(randomValues(SQUARES_CHUNK, seed));
          const sums = new Float64Array(3).fill(7);
          kernels.squares(handle, samples, false, Int32Array.of(0), fold, Int32Array.of(1, 0, length), sums);
          expect([...sums]).toEqual([7, sumByDefinition(arena.subarray(0, length), samples), 7]);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('the chunks', () => {
  const layers = inferLayers(
    parseModelSpec({
      name: 'm',
      input: { channels: 1, height: 10, width: 10 },
      classes: 3,
      layers: [
        { type: 'flatten' },
        { type: 'linear', outFeatures: 90 },
        { type: 'batchNorm' },
        { type: 'linear', outFeatures: 3 },
      ],
    }),
  );
  const layout = planContribution(layers);

  it.each([1, 2, 3, 7, 20])('are the same for %i workers: every trained parameter once', (workers) => {
    const alone = planSquares(layout, 1, () => false);
    const shared = planSquares(layout, workers, () => false);
    expect(shared.chunks).toHaveLength(workers);
    expect(shared.chunks.flatMap((chunk) => [...chunk])).toEqual([...(alone.chunks[0] as Int32Array)]);
    const lengths = [...(alone.chunks[0] as Int32Array)].filter((_, i) => i % 3 === 2);
    expect(lengths).toEqual([4096, 4096, 808, 90, 90, 90, 270, 3]);
  });

  it('leave out what is frozen', () => {
    const { count, chunks } = planSquares(layout, 1, (region) => region.kind === 'parameter' && region.layerIndex < 3);
    expect(count).toBe(2);
    expect([...(chunks[0] as Int32Array)].filter((_, i) => i % 3 === 2)).toEqual([270, 3]);
  });
});
