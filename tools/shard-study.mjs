/**
 * `node tools/shard-study.mjs --data DIR --json shards.json`: what the shard size does to the models with batch norm, whose
 * statistics are those of a shard. Trains each model at each size with several seeds, on full MNIST; runs that are in the
 * folder (runs/shards) are not run again. `node tools/readme-figures.mjs shards.json` then puts the table into
 * docs/reproduction.md.
 *
 * Options: --models tiny6k,net19k,gap19k  --sizes 16,32,64,128  --seeds 1,2,3  --epochs 3  --workers 2  --out runs/shards
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { bootstrap } from './bootstrap.mjs';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    models: { type: 'string', default: 'tiny6k,net19k,gap19k' },
    sizes: { type: 'string', default: '16,32,64,128' },
    seeds: { type: 'string', default: '1,2,3' },
    epochs: { type: 'string', default: '3' },
    workers: { type: 'string', default: String(availableParallelism()) },
    out: { type: 'string', default: 'runs/shards' },
    json: { type: 'string' },
  },
});

/** One schedule for all, so that short runs end where they can: at a rate of nothing. */
const SCHEDULE = { type: 'one-cycle' };

async function study() {
  const { LOCKSTEP_VERSION } = await import('../packages/core/dist/files/index.js');
  const { recipeSchema } = await import('../packages/core/dist/spec/index.js');
  const { findZooModel } = await import('../packages/core/dist/zoo/index.js');
  const { openDataset } = await import('../packages/core/dist/data/index.js');
  const { loadMnist } = await import('../packages/core/dist/data/mnist/index.js');
  const { describeOccasion } = await import('../packages/cli/dist/lab/bench/measure/machine.js');
  const { reproduceRun } = await import('../packages/cli/dist/lab/reproduce/reproduce-run.js');
  const dataset = options.data ? await openDataset(options.data, { classes: 10 }) : await loadMnist();
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  const place = {
    root: options.out,
    occasion: describeOccasion(),
    peak: async () => Number.NaN,
    energy: undefined,
    signal: interrupt.signal,
    onEvent: () => {},
  };
  const numbers = (text) => text.split(',').map(Number);
  const rows = [];
  for (const model of options.models.split(',')) {
    const zoo = findZooModel(model);
    const row = { model, sizes: [] };
    rows.push(row);
    for (const shardSize of numbers(options.sizes)) {
      const recipe = recipeSchema.parse({
        ...zoo.recipe,
        epochs: Number(options.epochs),
        schedule: SCHEDULE,
        shardSize,
      });
      const correct = [];
      for (const seed of numbers(options.seeds)) {
        const { checksum } = dataset;
        const identity = { version: LOCKSTEP_VERSION, model: zoo.model, recipe, seed, checksum, validation: 0 };
        const job = { identity, recipeName: `shards-of-${shardSize}`, dataset, workers: Number(options.workers) };
        const record = await reproduceRun(job, place);
        if (record === undefined) return undefined;
        correct.push(record.end.testCorrect);
        console.error(`${model}, shards of ${shardSize}, seed ${seed}: ${record.end.testCorrect}`);
      }
      row.sizes.push({ shardSize, correct });
    }
  }
  const { epochs, seeds } = options;
  return { bench: 'shards', ...place.occasion, epochs: Number(epochs), repetitions: numbers(seeds).length, rows };
}

if (await bootstrap()) {
  const report = await study();
  if (report === undefined) process.exitCode = 130;
  else {
    const { formatReport } = await import('./figures.mjs');
    console.log(formatReport(report));
    if (options.json) writeFileSync(options.json, `${JSON.stringify(report)}\n`);
  }
} else process.exitCode = 1;
