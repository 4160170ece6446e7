import { expect, it } from 'vitest';
import { timeComputing } from './computing.js';
import type { ModelCosts } from './costs.js';

const costs = { contributeBase: 0, contributeShard: 0.01, afterTail: 0, foldVector: 0, updateVector: 0, order: 0 };
const model: ModelCosts = {
  model: 'round',
  floats: 1,
  tailFloats: 0,
  shardSize: 16,
  threads: [{ threads: 1, ...costs }],
};
const ranges = [
  { begin: 0, end: 4 },
  { begin: 4, end: 6 },
  { begin: 6, end: 8 },
  { begin: 8, end: 8 },
];

it('takes a node with cores of its own as long as its shards do', () => {
  expect(timeComputing(model, { ranges, threads: 1 })).toEqual([0.04, 0.02, 0.02, 0]);
  expect(timeComputing(model, { ranges, threads: 4 })).toEqual([0.01, 0.01, 0.01, 0]);
});

it('shares the cores of one machine among those that still compute', () => {
  // three on two cores until two of them are done; then the first has a core for itself
  const times = timeComputing(model, { ranges, threads: 1, sharedCores: 2 });
  for (const [node, time] of [0.05, 0.03, 0.03, 0].entries()) expect(times[node]).toBeCloseTo(time, 9);
});

it('slows threads of one machine down by what they take longer together', () => {
  const threads = [
    { threads: 1, ...costs },
    { threads: 2, ...costs, contributeShard: 0.015 },
  ];
  expect(timeComputing({ ...model, threads }, { ranges, threads: 1, sharedCores: 4 })[0]).toBeCloseTo(0.06, 9);
});
