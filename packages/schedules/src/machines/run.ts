/** The small runs that schedules train: every kind of state, several buckets and shards, a last batch of another size. */
import { createDataset, type Dataset, type Split } from '@lockstep/core/data';
import type { RunIdentity } from '@lockstep/core/seams';
import { parseModelSpec, recipeSchema } from '@lockstep/core/spec';

const SIDE = 6;
const CLASSES = 3;
const TRAIN = 200;
const BATCH = 80;
export const STEPS_PER_EPOCH = Math.ceil(TRAIN / BATCH);
export const EPOCHS = 2;

const model = parseModelSpec({
  name: 'schedule',
  input: { channels: 1, height: SIDE, width: SIDE },
  classes: CLASSES,
  layers: [
    { type: 'conv', outChannels: 3, kernel: 3 },
    { type: 'batchNorm' },
    { type: 'relu' },
    { type: 'dropout', p: 0.2 },
    { type: 'flatten' },
    { type: 'linear', outFeatures: CLASSES },
  ],
});

/** Recipes whose steps go different ways between nodes: all at once, after the norm is known, and rounded. */
export const recipes = {
  sgd: { optimizer: { type: 'sgd', momentum: 0.9 } },
  adam: { optimizer: { type: 'adam' }, ema: 0.9 },
  clipped: { optimizer: { type: 'adam' }, clipNorm: 0.5 },
  bf16: { optimizer: { type: 'sgd', momentum: 0.9 }, gradientPrecision: 'bf16' },
} as const;

export type RecipeName = keyof typeof recipes;
export const recipeNames = Object.keys(recipes) as RecipeName[];

const SHARED = { epochs: EPOCHS, batchSize: BATCH, shardSize: 16 };
/** Of all steps together: the last of an epoch's is short. */
export const SHARDS = EPOCHS * Math.ceil(TRAIN / SHARED.shardSize);
/** What a shard takes the coordinator, if it computes. */
export const KEEPER_MS_PER_SHARD = 2;

/** The same for everybody who asks: runs are compared by their hashes. */
export const runs: Readonly<Record<RecipeName, RunIdentity>> = (() => {
  const dataset = makeDataset();
  const make = (name: RecipeName): RunIdentity => ({
    model,
    recipe: recipeSchema.parse({ ...SHARED, ...recipes[name] }),
    dataset,
    seed: 7,
  });
  return { sgd: make('sgd'), adam: make('adam'), clipped: make('clipped'), bf16: make('bf16') };
})();

/** What a node is sent that has no data. */
export const datasetBytes = [runs.sgd.dataset.train, runs.sgd.dataset.test].reduce(
  (sum, { images, labels }) => sum + images.length + labels.length,
  0,
);

/** Pictures whose bright rows tell their class, with a pattern over them. */
function makeDataset(): Dataset {
  const train = makeSplit(TRAIN);
  const test = makeSplit(CLASSES);
  const shape = { channels: 1, height: SIDE, width: SIDE, classes: CLASSES, mean: [0.4], std: [0.3] };
  return createDataset({ name: 'stripes', source: 'made here', ...shape, train, validation: makeSplit(0), test });
}

function makeSplit(count: number): Split {
  const images = new Uint8Array(new SharedArrayBuffer(count * SIDE * SIDE));
  const labels = new Uint8Array(new SharedArrayBuffer(count));
  for (let at = 0; at < images.length; at++) {
    const image = Math.floor(at / (SIDE * SIDE));
    const row = Math.floor(at / SIDE) % SIDE;
    images[at] = ((at * 37 + image * 11) % 128) + (row % CLASSES === image % CLASSES ? 127 : 0);
  }
  for (let image = 0; image < count; image++) labels[image] = image % CLASSES;
  return { count, images, labels };
}
