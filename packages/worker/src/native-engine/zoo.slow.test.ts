/** What zoo.test.ts leaves out: cnn11m takes the float64 reference five to ten seconds a shard. */
import { zooModels } from '@lockstep/core';
import { expect, it } from 'vitest';
import { describeErrors, median, TOLERANCE, worstError } from './test-comparison.js';
import { compareOnDigits } from './test-digits.js';

it.each(zooModels.map(({ model }) => model.name))('%s on digits: the median of three seeds', async (name) => {
  for (const shape of [{ samples: 16 }, { samples: 32, shardSize: 32 }, { samples: 45 }]) {
    const runs = [];
    for (const seed of [1, 2, 3]) runs.push(await compareOnDigits(name, { seed, ...shape }));
    expect(median(runs.map(worstError)), `${JSON.stringify(shape)}: ${describeErrors(runs)}`).toBeLessThan(TOLERANCE);
  }
});
