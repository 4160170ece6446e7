/**
 * The runs whose hashes are kept in test/golden-hashes.json: each names a model of the zoo, one of its recipes if it is
 * not the first, changes to that, how many images of the embedded sample it sees, a seed, steps, and the SHA-256 of the
 * state after them.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const GOLDEN_FILE = fileURLToPath(new URL('../test/golden-hashes.json', import.meta.url));

export const readGoldenRuns = () => JSON.parse(readFileSync(GOLDEN_FILE, 'utf8'));

/** For people: `net19k, shards of 16, bf16`. */
export const describeRun = ({ model, recipe: { shardSize, gradientPrecision } }) =>
  `${model}, shards of ${shardSize}${gradientPrecision === undefined ? '' : `, ${gradientPrecision}`}`;

/** Unpacked once. */
let embedded;

/** The first images of the embedded sample. */
export async function cutSample(trainCount, testCount) {
  const { createDataset } = await import('../packages/core/dist/data/index.js');
  const { loadEmbedded } = await import('../packages/core/dist/data/mnist/index.js');
  embedded ??= loadEmbedded();
  const { checksum: _, ...sample } = await embedded;
  const cut = ({ images, labels, count }, kept) => ({
    count: kept,
    images: images.subarray(0, (images.length / count) * kept),
    labels: labels.subarray(0, kept),
  });
  return createDataset({ ...sample, train: cut(sample.train, trainCount), test: cut(sample.test, testCount) });
}

/** Trains as a golden run says; resolves with the end event's hash. */
export async function computeGoldenHash(run, workers) {
  const { findRecipe, findZooModel } = await import('../packages/core/dist/zoo/index.js');
  const { recipeSchema } = await import('../packages/core/dist/spec/index.js');
  const { train } = await import('../packages/cli/dist/api/session.js');
  const zoo = findZooModel(run.model);
  const named = run.recipeName === undefined ? zoo.recipe : findRecipe(zoo, run.recipeName);
  const recipe = recipeSchema.parse({ ...named, ...run.recipe });
  const dataset = await cutSample(run.images, 16);
  const { seed, steps } = run;
  for await (const event of train({ model: zoo.model, recipe, dataset, seed, steps, workers, engine: 'native' })) {
    if (event.event === 'end') return event.parametersSha256;
  }
  throw new Error(`the run of ${run.model} had no end`);
}
