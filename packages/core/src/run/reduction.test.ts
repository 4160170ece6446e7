import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inferLayers } from '../model/layers.js';
import { recipeSchema } from '../spec/recipe.js';
import { findZooModel } from '../zoo/zoo.js';
import { planContribution, type Span } from './contribution.js';
import {
  canonicalPartials,
  foldStep,
  listRounded,
  maxCanonicalPartials,
  planFold,
  reduceCanonically,
  roundPartial,
} from './reduction.js';
import { dealShards, type ShardRange } from './shards.js';

const shards = fc.integer({ min: 1, max: 70 });

function addRange(
  contributions: readonly Float32Array[],
  { begin, end }: ShardRange,
  rounded: readonly Span[],
): Float32Array {
  return reduceCanonically(contributions.slice(begin, end), rounded);
}

function runFold(
  steps: readonly number[],
  partials: readonly Float32Array[],
  rounded: readonly Span[] = [],
): Float32Array {
  const stack: Float32Array[] = [];
  let next = 0;
  for (const step of steps) {
    if (step === foldStep.push) stack.push((partials[next++] as Float32Array).slice());
    else {
      const upper = stack.pop() as Float32Array;
      const lower = stack.at(-1) as Float32Array;
      for (let i = 0; i < lower.length; i++) lower[i] = Math.fround((lower[i] as number) + (upper[i] as number));
      roundPartial(lower, rounded);
    }
  }
  expect(stack).toHaveLength(1);
  return stack[0] as Float32Array;
}

describe('reduceCanonically', () => {
  it('splits six at four: ((0+1)+(2+3))+(4+5), seen in float32 where the order matters', () => {
    const values = [1e8, 1, -1e8, 1, 1e-3, 1e8].map((value) => new Float32Array([value]));
    const f = Math.fround;
    expect(reduceCanonically(values)[0]).toBe(f(f(f(1e8 + 1) + f(-1e8 + 1)) + f(f(1e-3) + 1e8)));
  });

  it('adds shard s contributing s to n(n-1)/2', () => {
    for (let n = 1; n < 40; n++) {
      const values = Array.from({ length: n }, (_, s) => new Float32Array([s]));
      expect(reduceCanonically(values)[0]).toBe((n * (n - 1)) / 2);
    }
  });
});

describe('reduceCanonically with rounding', () => {
  const rounded = [{ begin: 0, end: 1 }];

  it('rounds each shard, then each sum, and nothing else: worked by hand', () => {
    // in bf16, with 8 bits of significand, 257 is 256 (a tie, to even) and 259 is 260
    const values = [257, 1, 3].map((value) => new Float32Array([value, value]));
    expect([...reduceCanonically(values.slice(0, 1), rounded)]).toEqual([256, 257]);
    expect([...reduceCanonically(values.slice(0, 2), rounded)]).toEqual([256, 258]);
    expect([...reduceCanonically(values, rounded)]).toEqual([260, 261]);
  });

  it('gives other bits than rounding the sum alone', () => {
    const values = [257, 1, 1, 1].map((value) => new Float32Array([value]));
    const once = reduceCanonically(values);
    roundPartial(once, rounded);
    expect([once[0], reduceCanonically(values, rounded)[0]]).toEqual([260, 258]);
  });
});

describe('listRounded', () => {
  const layout = planContribution(inferLayers(findZooModel('net19k').model));

  it('has nothing unless the recipe asks for bf16', () => {
    for (const recipe of [{}, { gradientPrecision: 'float32' as const }]) {
      expect(recipeSchema.parse(recipe)).toEqual(recipeSchema.parse({}));
      expect(listRounded(layout, recipeSchema.parse(recipe))).toEqual([]);
    }
  });

  it('has every parameter, no statistics and no result', () => {
    const spans = listRounded(layout, recipeSchema.parse({ gradientPrecision: 'bf16' }));
    const isRounded = (at: number): boolean => spans.some(({ begin, end }) => at >= begin && at < end);
    for (const { kind, offset, size } of layout.regions) {
      for (const at of [offset, offset + size - 1])
        expect(isRounded(at), `${kind} at ${at}`).toBe(kind === 'parameter');
    }
  });
});

describe('canonicalPartials', () => {
  it.each([
    [{ begin: 0, end: 8 }, [[0, 8]]],
    [
      { begin: 0, end: 3 },
      [
        [0, 2],
        [2, 3],
      ],
    ],
    [
      { begin: 3, end: 6 },
      [
        [3, 4],
        [4, 6],
      ],
    ],
    [
      { begin: 5, end: 16 },
      [
        [5, 6],
        [6, 8],
        [8, 16],
      ],
    ],
    [{ begin: 4, end: 4 }, []],
  ])('cuts %o into %o', (range, expected) => {
    expect(canonicalPartials(range).map(({ begin, end }) => [begin, end])).toEqual(expected);
  });

  it('never gives more partials than maxCanonicalPartials says', () => {
    fc.assert(
      fc.property(shards, fc.nat(200), (count, begin) => {
        expect(canonicalPartials({ begin, end: begin + count }).length).toBeLessThanOrEqual(
          maxCanonicalPartials(count),
        );
      }),
    );
  });
});

describe('planFold', () => {
  it.each([
    ['in float32', []],
    ['rounded to bf16', [{ begin: 0, end: 1 }]],
  ])('gives the bits of the definition for any way of dealing the shards out, %s', (_, rounded) => {
    const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }), {
      minLength: 70,
      maxLength: 70,
    });
    fc.assert(
      fc.property(shards, values, fc.array(fc.nat(69), { maxLength: 9 }), (count, numbers, cuts) => {
        const contributions = numbers.slice(0, count).map((value) => new Float32Array([value, value]));
        const bounds = [0, ...cuts.filter((cut) => cut < count), count].sort((a, b) => a - b);
        const ranges = bounds.slice(1).map((end, i) => ({ begin: bounds[i] as number, end }));
        const partials = ranges.flatMap(canonicalPartials);
        const sums = partials.map((partial) => addRange(contributions, partial, rounded));
        const folded = runFold(planFold(partials), sums, rounded);
        expect(Buffer.from(folded.buffer)).toEqual(Buffer.from(reduceCanonically(contributions, rounded).buffer));
      }),
    );
  });

  it('refuses partials that leave a shard out', () => {
    expect(() =>
      planFold([
        { begin: 0, end: 2 },
        { begin: 3, end: 4 },
      ]),
    ).toThrow('partial [3, 4) does not follow shard 2');
  });
});

describe('dealShards', () => {
  it('covers every shard once, in order, and gives nobody more than the least possible maximum', () => {
    fc.assert(
      fc.property(shards, fc.integer({ min: 1, max: 12 }), (count, workers) => {
        const ranges = dealShards(count, workers);
        expect(ranges).toHaveLength(workers);
        let at = 0;
        for (const { begin, end } of ranges) {
          expect(begin).toBe(at);
          expect(end - begin).toBeLessThanOrEqual(Math.ceil(count / workers));
          at = end;
        }
        expect(at).toBe(count);
      }),
    );
  });

  it('gives each of 2 or 4 workers one partial of 8 shards', () => {
    for (const workers of [1, 2, 4, 8]) {
      expect(dealShards(8, workers).flatMap(canonicalPartials)).toHaveLength(workers);
    }
  });
});
