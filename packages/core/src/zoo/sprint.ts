/**
 * The networks of `lockstep speedrun`: most accuracy for the least arithmetic, in one to three epochs. A 5x5 convolution
 * and a pool bring 28x28 pixels to 12x12, so that no wide layer sees more; dense at the end, without averaging first.
 */
import type { RecipeInput } from '../spec/recipe.js';
import { defineZooModel, type LayerInput, MNIST } from './zoo-model.js';

/** What the bias would add, batch norm takes away. */
const conv = (outChannels: number, kernel: number, padding: number): LayerInput[] => [
  { type: 'conv', outChannels, kernel, padding, bias: false },
  { type: 'batchNorm' },
  { type: 'relu' },
];

const pool: LayerInput = { type: 'maxPool', kernel: 2 };

const head: LayerInput[] = [{ type: 'flatten' }, { type: 'linear', outFeatures: 10 }];

/** The betas are those of github.com/tuomaso/train_mnist_fast: averages short enough for a run of a few hundred steps. */
const shared: RecipeInput = {
  batchSize: 128,
  optimizer: { type: 'adam', betas: [0.7, 0.9] },
  learningRate: 0.01,
  schedule: { type: 'one-cycle' },
  labelSmoothing: 0.1,
};

export const sprint13k = defineZooModel(
  {
    name: 'sprint13k',
    description: 'three convolutions with batch norm, for the shortest of runs',
    ...MNIST,
    layers: [...conv(8, 5, 0), pool, ...conv(16, 3, 0), pool, ...conv(48, 3, 0), ...head],
  },
  { sprint: { ...shared, epochs: 1, learningRate: 0.02 } },
  '99.0% on the test set in one epoch',
);

export const sprint33k = defineZooModel(
  {
    name: 'sprint33k',
    description: 'four convolutions with batch norm, for short runs',
    ...MNIST,
    layers: [...conv(12, 5, 0), pool, ...conv(24, 3, 0), ...conv(24, 3, 0), pool, ...conv(96, 3, 0), ...head],
  },
  { sprint: { ...shared, epochs: 2, learningRate: 0.02, augmentation: { shift: 1 } } },
  'aims at 99.4% on the test set in two epochs',
);

export const sprint165k = defineZooModel(
  {
    name: 'sprint165k',
    description: 'five convolutions with batch norm, wide, and dropout before the dense layer',
    ...MNIST,
    layers: [
      ...conv(24, 5, 0),
      pool,
      ...conv(48, 3, 1),
      ...conv(48, 3, 0),
      pool,
      ...conv(96, 3, 1),
      ...conv(96, 3, 0),
      { type: 'flatten' },
      { type: 'dropout', p: 0.2 },
      { type: 'linear', outFeatures: 10 },
    ],
  },
  { sprint: { ...shared, epochs: 8, augmentation: { shift: 1, rotation: 8 } } },
  'aims at 99.6% on the test set in eight epochs',
);
