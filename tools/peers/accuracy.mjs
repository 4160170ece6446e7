/**
 * `node tools/peers/accuracy.mjs net19k author --python PYTHON --data DIR`: trains a network of the zoo under one of its
 * recipes in PyTorch, several seeds, and prints the test images right of 10,000 and the last batch's loss after every
 * epoch: what a recipe reaches elsewhere, beside what `lockstep reproduce` reaches.
 * Options: --seeds 1,2,3  --threads 1  --device cpu (or cuda)  --dropout 0 (in place of the network's own)
 */
import { parseArgs } from 'node:util';
import { runTorchSprint } from '../../packages/cli/dist/lab/speedrun/torch-sprint.js';
import { findRecipe, findZooModel } from '../../packages/core/dist/zoo/index.js';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string', default: 'python3' },
    data: { type: 'string' },
    seeds: { type: 'string', default: '1,2,3' },
    threads: { type: 'string', default: '1' },
    device: { type: 'string', default: 'cpu' },
    dropout: { type: 'string' },
  },
});
const [name, recipeName] = positionals;
const { python, data, device } = options;
if (!name || !recipeName || !data) {
  console.error(
    'usage: node tools/peers/accuracy.mjs MODEL RECIPE --data DIR [--python PYTHON] [--seeds 1,2,3] [--threads 1] [--device cuda] [--dropout 0]',
  );
  process.exit(2);
}
const entry = findZooModel(name);
const named = findRecipe(entry, recipeName);
const recipe = options.dropout === undefined ? named : { ...named, dropout: Number(options.dropout) };
const { signal } = new AbortController();
for (const seed of options.seeds.split(',').map(Number)) {
  const threads = Number(options.threads);
  const run = await runTorchSprint({
    python,
    model: entry.model,
    recipe,
    seed,
    threads,
    data,
    device,
    evaluate: 'epochs',
    signal,
  });
  if ('missing' in run) {
    console.error(`${python} cannot train it: ${run.missing}`);
    process.exit(1);
  }
  const { epochs, lastLosses, correct: end } = run;
  const best = Math.max(...epochs);
  const bestEpoch = epochs.indexOf(best) + 1;
  console.log(JSON.stringify({ model: name, recipe: recipeName, seed, end, best, bestEpoch, epochs, lastLosses }));
}
