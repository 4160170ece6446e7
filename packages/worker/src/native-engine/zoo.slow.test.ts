/** What zoo.test.ts leaves out: cnn11m takes the float64 reference five to ten seconds a shard. */
import { zooModels } from '@lockstep/core';
import { expect, it } from 'vitest';
import { describeErrors, median, TOLERANCE, worstError } from './test-comparison.js';
import { compareOnDigits } from './test-digits.js';

it.each(zooModels.map(({ model }) => model.name))('%s on digits, a short shard of 32: the median of three seeds', async (name) => {
  const runs = [];
  for (const seed of [1, 2, 3]) runs.push(await compareOnDigits(name, { seed, samples: 21, shardSize: 32 }));
  expect(median(runs.map(worstError)), describeErrors(runs)).toBeLessThan(TOLERANCE);
});

it.each([
  ['a shard of 16', { samples: 16 }],
  ['two shards and 13 lanes of a third', { samples: 45 }],
])('cnn11m on digits, %s: the median of three seeds', async (_, shape) => {
  const runs = [];
  for (const seed of [1, 2, 3]) runs.push(await compareOnDigits('cnn11m', { seed, ...shape }));
  expect(median(runs.map(worstError)), describeErrors(runs)).toBeLessThan(TOLERANCE);
});
