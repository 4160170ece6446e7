/** More workers than cores: those that wait must sleep, or they take the cores from those that work. */
import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { recipeSchema } from '../../packages/core/dist/spec/index.js';
import { findZooModel } from '../../packages/core/dist/zoo/index.js';
import { LocalNode } from '../../packages/worker/dist/node/index.js';
import { cutSample } from '../../tools/golden-runs.mjs';

const BATCH_SIZE = 512;
const STEPS_PER_EPOCH = 4;
const WARM_UP_EPOCHS = 3;
const EPOCHS = 11;
/** What sleeping and waking eight threads, and their own compilers, may cost. */
const MOST_TIMES = 1.6;

/** CPU microseconds, of all threads, for the same steps with so many workers, once they are warm. */
async function measureCpu(workers: number): Promise<number> {
  const dataset = await cutSample(BATCH_SIZE * STEPS_PER_EPOCH, 16);
  const { model } = findZooModel('net19k');
  const recipe = recipeSchema.parse({ batchSize: BATCH_SIZE, augmentation: { rotation: 10 } });
  const node = new LocalNode({ model, recipe, dataset, seed: 1, workers });
  const trainEpoch = (epoch: number) =>
    node.train({ epoch, firstStep: epoch * STEPS_PER_EPOCH, endStep: (epoch + 1) * STEPS_PER_EPOCH });
  try {
    for (let epoch = 0; epoch < WARM_UP_EPOCHS; epoch++) await trainEpoch(epoch);
    const before = process.cpuUsage();
    for (let epoch = WARM_UP_EPOCHS; epoch < EPOCHS; epoch++) await trainEpoch(epoch);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  } finally {
    await node.close();
  }
}

describe('8 workers on 2 cores', () => {
  // Spinning through every wait would take the CPU time of all cores for as long as the run lasts.
  it(`take about the CPU time of 2 for the same steps (${availableParallelism()} cores here)`, async () => {
    const two = await measureCpu(2);
    const eight = await measureCpu(8);
    expect(eight).toBeLessThan(MOST_TIMES * two);
  });
});
