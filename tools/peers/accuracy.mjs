/**
 * `node tools/peers/accuracy.mjs net19k author --python PYTHON --data DIR`: trains a network of the zoo under one of its
 * recipes in PyTorch, several seeds, and prints the test images right of 10,000 after every epoch: what a recipe reaches
 * elsewhere, beside what `lockstep reproduce` reaches. Options: --seeds 1,2,3  --threads 1
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findRecipe, findZooModel } from '../../packages/core/dist/index.js';
import { describe } from './describe.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string', default: 'python3' },
    data: { type: 'string' },
    seeds: { type: 'string', default: '1,2,3' },
    threads: { type: 'string', default: '1' },
  },
});
const [name, recipeName] = positionals;

/** Test images right after each epoch. */
async function train(seed) {
  const entry = findZooModel(name);
  const recipe = findRecipe(entry, recipeName);
  const threads = Number(options.threads);
  const order = { model: describe(entry), recipe, seed, threads, data: options.data, evaluate: 'epochs' };
  const env = { ...process.env, OMP_NUM_THREADS: options.threads, MKL_NUM_THREADS: options.threads };
  const script = fileURLToPath(new URL('train_torch.py', import.meta.url));
  const child = spawn(options.python, [script], { stdio: ['pipe', 'pipe', 'inherit'], env });
  const exit = once(child, 'exit');
  child.stdin.end(JSON.stringify(order));
  const correct = [];
  for await (const line of createInterface(child.stdout)) {
    const event = JSON.parse(line);
    if (event.event === 'epoch') correct.push(event.testCorrect);
  }
  const [code] = await exit;
  if (code !== 0) throw new Error(`${options.python} ${script} ended with code ${code}; its own message stands above.`);
  return correct;
}

if (!name || !recipeName || !options.data) {
  console.error(
    'usage: node tools/peers/accuracy.mjs MODEL RECIPE --data DIR [--python PYTHON] [--seeds 1,2,3] [--threads 1]',
  );
  process.exit(2);
}
for (const seed of options.seeds.split(',').map(Number)) {
  const correct = await train(seed);
  const best = Math.max(...correct);
  console.log(
    JSON.stringify({
      model: name,
      recipe: recipeName,
      seed,
      end: correct.at(-1),
      best,
      bestEpoch: correct.indexOf(best) + 1,
      correct,
    }),
  );
}
