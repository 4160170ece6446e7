import { inferLayers } from '@lockstep/core/model';
import {
  ALIGNMENT,
  type ContributionLayout,
  foldStep,
  listGradients,
  planContribution,
  reduceCanonically,
  shardCount,
} from '@lockstep/core/run';
import { recipeSchema } from '@lockstep/core/spec';
import { zooModels } from '@lockstep/core/zoo';
import { pieceKind } from '@lockstep/kernels';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planMemory } from './memory-plan.js';
import { PIECE_FIELDS, planPieces, planStep, planSums } from './step-plan.js';

const layouts = zooModels.map(({ model }) => planContribution(inferLayers(model)));
const anyLayout = fc.constantFrom(...layouts);
const anyWorkers = fc.integer({ min: 1, max: 64 });

const rows = (pieces: Int32Array): number[][] =>
  Array.from({ length: pieces.length / PIECE_FIELDS }, (_, i) => [
    ...pieces.subarray(i * PIECE_FIELDS, (i + 1) * PIECE_FIELDS),
  ]);

describe('planPieces', () => {
  /** Floats [begin, end) of the state that a piece writes. */
  function spans(pieces: Int32Array): [number, number][] {
    return Array.from({ length: pieces.length / PIECE_FIELDS }, (_, piece) => {
      const [kind, offset, length] = pieces.subarray(piece * PIECE_FIELDS) as unknown as [number, number, number];
      return [offset, offset + (kind === pieceKind.statistics ? 3 * length : length)];
    });
  }

  it('gives every float of every region to exactly one worker', () => {
    fc.assert(
      fc.property(anyLayout, anyWorkers, (layout, workers) => {
        const all = planPieces(layout, workers)
          .flatMap(spans)
          .sort(([a], [b]) => a - b);
        for (const [index, [begin]] of all.entries()) expect(begin).toBeGreaterThanOrEqual(all[index - 1]?.[1] ?? 0);
        for (const { offset, size } of layout.regions) {
          const own = all.filter(([begin, end]) => begin < offset + size && end > offset);
          expect(own[0]?.[0]).toBe(offset);
          expect(own.at(-1)?.[1]).toBeGreaterThanOrEqual(offset + size);
          for (const [index, [begin]] of own.entries()) if (index > 0) expect(begin).toBe(own[index - 1]?.[1]);
        }
      }),
    );
  });

  it('starts every piece at a multiple of 16 floats, and ends those of parameters at one', () => {
    fc.assert(
      fc.property(anyLayout, anyWorkers, (layout, workers) => {
        for (const [kind, offset, length] of planPieces(layout, workers).flatMap(rows)) {
          expect((offset as number) % ALIGNMENT).toBe(0);
          if (kind === pieceKind.parameters) expect((length as number) % ALIGNMENT).toBe(0);
        }
      }),
    );
  });

  it('shares a large model evenly: nobody has more than an equal slice and one batch norm', () => {
    const layout = layouts.at(-1) as ContributionLayout;
    for (const workers of [2, 3, 8]) {
      const floats = planPieces(layout, workers).map((pieces) => spans(pieces).reduce((sum, [a, b]) => sum + b - a, 0));
      expect(Math.max(...floats)).toBeLessThan(layout.length / workers + 4 * ALIGNMENT);
    }
  });

  it('gives the result of the step to worker 0, who keeps the books', () => {
    fc.assert(
      fc.property(anyLayout, anyWorkers, (layout, workers) => {
        const owners = planPieces(layout, workers).map((pieces) => rows(pieces).filter(([k]) => k === pieceKind.sums));
        expect(owners[0]).toEqual([[pieceKind.sums, layout.resultOffset, ALIGNMENT, 0]]);
        expect(owners.slice(1).flat()).toEqual([]);
      }),
    );
  });
});

describe('planStep', () => {
  const layout = layouts[0] as ContributionLayout;
  const anyStep = fc.record({
    batchSize: fc.integer({ min: 1, max: 1500 }),
    blocks: fc.integer({ min: 1, max: 3 }),
    workers: anyWorkers,
  });

  it('deals the shards of a step out once, in order', () => {
    fc.assert(
      fc.property(anyStep, ({ batchSize, blocks, workers }) => {
        const shardSize = blocks * 16;
        const recipe = recipeSchema.parse({ batchSize, shardSize });
        const { ranges } = planStep(batchSize, shardSize, workers, planMemory(layout, recipe, workers));
        const shards = ranges.flatMap(({ begin, end }) => Array.from({ length: end - begin }, (_, i) => begin + i));
        expect(ranges).toHaveLength(workers);
        expect(shards).toEqual(Array.from({ length: shardCount(batchSize, shardSize) }, (_, i) => i));
      }),
    );
  });

  it("folds the workers' partials to the bits of core's reduction, for full and short steps", () => {
    fc.assert(
      fc.property(
        anyStep,
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        ({ batchSize, blocks, workers }, fraction) => {
          const shardSize = blocks * 16;
          const samples = Math.ceil(batchSize * fraction);
          const recipe = recipeSchema.parse({ batchSize, shardSize });
          const memory = planMemory(layout, recipe, workers);
          const plan = planStep(samples, shardSize, workers, memory);
          // Values whose sum depends on the order of additions.
          const leaves = Array.from({ length: shardCount(samples, shardSize) }, (_, shard) =>
            Float32Array.of(((shard * 2_654_435_761) % 1_000_003) / 7 + 1e-3 * shard),
          );
          const sums = new Map<number, Float32Array>();
          plan.ranges.forEach((range, worker) => {
            partialsOf(range.begin, range.end).forEach(([begin, end], index) => {
              sums.set(memory.partialsAt(worker) + index * memory.vector, reduceCanonically(leaves.slice(begin, end)));
            });
          });
          expect(fold(plan.partials, plan.fold, sums)).toEqual(reduceCanonically(leaves));
        },
      ),
    );
  });

  /** By its definition: from the left, the largest aligned power of two that fits. */
  function partialsOf(begin: number, end: number): [number, number][] {
    if (begin === end) return [];
    const sizes = Array.from({ length: 12 }, (_, i) => 2 ** (11 - i));
    const size = sizes.find((fits) => begin % fits === 0 && begin + fits <= end) as number;
    return [[begin, begin + size], ...partialsOf(begin + size, end)];
  }

  function fold(partials: Int32Array, steps: Int32Array, sums: Map<number, Float32Array>): Float32Array {
    const queue = [...partials];
    const stack: Float32Array[] = [];
    for (const step of steps) {
      if (step === foldStep.push) {
        stack.push(sums.get(queue.shift() as number) as Float32Array);
      } else {
        const upper = stack.pop() as Float32Array;
        const lower = stack.pop() as Float32Array;
        stack.push(reduceCanonically([lower, upper]));
      }
    }
    expect(queue).toEqual([]);
    expect(stack).toHaveLength(1);
    return stack[0] as Float32Array;
  }
});

describe('planSums', () => {
  it('covers a range once, in order, gradients apart from what is not rounded', () => {
    fc.assert(
      fc.property(anyLayout, fc.nat(), fc.nat(), (layout, from, size) => {
        const units = layout.length / ALIGNMENT;
        const offset = (from % units) * ALIGNMENT;
        const length = (1 + (size % (units - offset / ALIGNMENT))) * ALIGNMENT;
        const gradients = listGradients(layout);
        let at = offset;
        for (const [kind, begin = 0, floats = 0] of rows(planSums({ offset, length }, gradients))) {
          expect(begin).toBe(at);
          at += floats;
          const inside = gradients.some((span) => begin >= span.begin && at <= span.end);
          const outside = gradients.every((span) => at <= span.begin || begin >= span.end);
          expect([inside, outside]).toEqual(kind === pieceKind.gradients ? [true, false] : [false, true]);
        }
        expect(at).toBe(offset + length);
      }),
    );
  });

  it('is one piece when nothing is rounded', () => {
    expect([...planSums({ offset: 32, length: 64 }, [])]).toEqual([pieceKind.sums, 32, 64, 0]);
  });
});
