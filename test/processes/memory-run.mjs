/** `node memory-run.mjs STEPS`: trains that many steps and prints the process's RSS in bytes after every 1,000 of them. */

import { recipeSchema } from '../../packages/core/dist/spec/index.js';
import { findZooModel } from '../../packages/core/dist/zoo/index.js';
import { LocalNode } from '../../packages/worker/dist/node/index.js';
import { cutSample } from '../../tools/golden-runs.mjs';

const STEPS_PER_EPOCH = 250;
const BATCH_SIZE = 16;
const STEPS_PER_REPORT = 1000;

const steps = Number(process.argv[2]);
const { model } = findZooModel('tiny6k');
const recipe = recipeSchema.parse({ batchSize: BATCH_SIZE, augmentation: { rotation: 5 }, dropout: 0.1, epochs: 1000 });
const dataset = await cutSample(BATCH_SIZE * STEPS_PER_EPOCH, 64);
const node = new LocalNode({ model, recipe, dataset, seed: 1, workers: 2 });
const report = [];
for (let firstStep = 0; firstStep < steps; firstStep += STEPS_PER_EPOCH) {
  const endStep = firstStep + STEPS_PER_EPOCH;
  await node.train({ epoch: firstStep / STEPS_PER_EPOCH, firstStep, endStep });
  if (endStep % STEPS_PER_REPORT === 0) report.push(process.memoryUsage.rss());
}
await node.close();
console.log(JSON.stringify(report));
