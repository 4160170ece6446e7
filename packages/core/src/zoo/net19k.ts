import { defineZooModel, type LayerInput, MNIST } from './zoo-model.js';

const block = (outChannels: number, padding: number, ...pool: LayerInput[]): LayerInput[] => [
  { type: 'conv', outChannels, kernel: 3, padding },
  { type: 'batchNorm' },
  { type: 'relu' },
  ...pool,
  { type: 'dropout', p: 0.1 },
];

const pool: LayerInput = { type: 'maxPool', kernel: 2 };

/** "CNN Model for MNIST Classification": narrow blocks, then 120 channels of one pixel each into a dense layer. */
export const net19k = defineZooModel(
  {
    name: 'net19k',
    description: 'seven 3x3 convolutions with batch norm and dropout, one dense layer',
    ...MNIST,
    layers: [
      ...block(10, 1),
      ...block(20, 1, pool),
      ...block(10, 1),
      ...block(10, 1, pool),
      ...block(10, 0),
      ...block(10, 0),
      ...block(120, 0),
      { type: 'flatten' },
      { type: 'linear', outFeatures: 10 },
      { type: 'logSoftmax' },
    ],
  },
  {
    ours: {
      epochs: 12,
      batchSize: 128,
      optimizer: { type: 'adam', betas: [0.9, 0.99] },
      learningRate: 0.01,
      schedule: { type: 'one-cycle' },
      labelSmoothing: 0.1,
      augmentation: { rotation: 7, shift: 1 },
      dropout: 0,
    },
    /** The author's; one shard, since batch norm takes the statistics of whole batches there. */
    author: {
      epochs: 20,
      batchSize: 128,
      shardSize: 128,
      optimizer: { type: 'sgd', momentum: 0.9 },
      learningRate: 0.025,
      schedule: { type: 'step', every: 9, gamma: 0.15 },
      augmentation: { rotation: 7 },
    },
  },
  'over 99.4% on the test set with fewer than 20,000 parameters in fewer than 20 epochs',
);
