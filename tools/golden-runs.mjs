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

/** Of this clone. */
const PACKAGES = new URL('../packages/', import.meta.url);

/** Unpacked once. */
let embedded;

/** The first images of the embedded sample. */
export async function cutSample(trainCount, testCount, packages = PACKAGES) {
  const { createDataset } = await import(new URL('core/dist/data/index.js', packages));
  const { loadEmbedded } = await import(new URL('core/dist/data/mnist/index.js', packages));
  embedded ??= loadEmbedded();
  const { checksum: _, ...sample } = await embedded;
  const cut = ({ images, labels, count }, kept) => ({
    count: kept,
    images: images.subarray(0, (images.length / count) * kept),
    labels: labels.subarray(0, kept),
  });
  return createDataset({ ...sample, train: cut(sample.train, trainCount), test: cut(sample.test, testCount) });
}

/**
 * The events of a golden run.
 *
 * @param asked of a TrainRequest, beside what the run says
 * @param packages URL of the folder with the packages that run it
 */
export async function* trainGolden(run, asked, packages = PACKAGES) {
  const { findRecipe, findZooModel } = await import(new URL('core/dist/zoo/index.js', packages));
  const { recipeSchema } = await import(new URL('core/dist/spec/index.js', packages));
  const { train } = await import(new URL('cli/dist/api/session.js', packages));
  const zoo = findZooModel(run.model);
  const named = run.recipeName === undefined ? zoo.recipe : findRecipe(zoo, run.recipeName);
  const recipe = recipeSchema.parse({ ...named, ...run.recipe });
  const dataset = await cutSample(run.images, 16, packages);
  const { seed, steps } = run;
  yield* train({ model: zoo.model, recipe, dataset, seed, steps, engine: 'native', ...asked });
}

/** Trains as a golden run says; resolves with the end event's hash. */
export async function computeGoldenHash(run, workers) {
  for await (const event of trainGolden(run, { workers })) {
    if (event.event === 'end') return event.parametersSha256;
  }
  throw new Error(`the run of ${run.model} had no end`);
}
