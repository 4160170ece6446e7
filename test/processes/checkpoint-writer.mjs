/**
 * Writes checkpoints of growing steps, each twice, so that each is replaced once, until it is killed:
 * `node checkpoint-writer.mjs FOLDER FIRST_STEP [CALLS]`. After the first checkpoint it kills itself before the call of that
 * number that changes something on the disk.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { inferLayers } from '../../packages/core/dist/model/index.js';
import { planContribution } from '../../packages/core/dist/run/index.js';
import { recipeSchema } from '../../packages/core/dist/spec/index.js';
import { removeCheckpoints, writeCheckpoint } from '../../packages/core/dist/state/index.js';
import { findZooModel } from '../../packages/core/dist/zoo/index.js';

const [folder, firstStep, calls] = process.argv.slice(2);
let left = Number.POSITIVE_INFINITY;
if (calls !== undefined) {
  for (const name of [
    'openSync',
    'writeSync',
    'writevSync',
    'fsyncSync',
    'closeSync',
    'renameSync',
    'mkdirSync',
    'rmSync',
  ]) {
    const call = fs[name];
    fs[name] = (...args) => {
      if (--left === 0) process.kill(process.pid, 'SIGKILL');
      return call(...args);
    };
  }
  syncBuiltinESMExports();
}

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
  if (left === Number.POSITIVE_INFINITY && calls !== undefined) left = Number(calls);
  removeCheckpoints(folder, [step - 3]);
}
