/** Writes checkpoints of growing steps, each twice, so that each is replaced once, until it is killed: `node checkpoint-writer.mjs FOLDER FIRST_STEP`. */

import { inferLayers } from '../../packages/core/dist/model/index.js';
import { planContribution } from '../../packages/core/dist/run/index.js';
import { recipeSchema } from '../../packages/core/dist/spec/index.js';
import { removeCheckpoints, writeCheckpoint } from '../../packages/core/dist/state/index.js';
import { findZooModel } from '../../packages/core/dist/zoo/index.js';

const [folder, firstStep] = process.argv.slice(2);
const { model } = findZooModel('mynet');
const { length } = planContribution(inferLayers(model));
const recipe = recipeSchema.parse({ optimizer: { type: 'sgd', momentum: 0.9 } });
const dataset = { source: 'none', checksum: 'none', trainSamples: 1, validationSamples: 0 };

for (let step = Number(firstStep); ; step++) {
  const vector = new Float32Array(length).fill(step);
  const snapshot = { step, state: vector, slots: [vector], results: new Float32Array() };
  const info = { step, seed: 1, model, recipe, dataset, epochs: [], epochSeconds: 0 };
  writeCheckpoint(folder, { info, snapshot });
  writeCheckpoint(folder, { info, snapshot });
  process.stdout.write(`${step}\n`);
  removeCheckpoints(folder, [step - 3]);
}
