import { defineZooModel, type LayerInput, MNIST } from './zoo-model.js';

const block = (outChannels: number): LayerInput[] => [
  { type: 'conv', outChannels, kernel: 3, padding: 1 },
  { type: 'batchNorm' },
  { type: 'relu' },
];

/** "Convolutional Neural Network for MNIST": uniform 3x3 blocks, then global average pooling instead of dense layers. */
export const gap19k = defineZooModel(
  {
    name: 'gap19k',
    description: 'seven 3x3 convolutions with batch norm, then global average pooling',
    ...MNIST,
    layers: [
      ...block(8),
      ...block(8),
      ...block(8),
      { type: 'maxPool', kernel: 2 },
      ...block(16),
      ...block(16),
      { type: 'maxPool', kernel: 2 },
      ...block(32),
      ...block(32),
      { type: 'maxPool', kernel: 2 },
      { type: 'conv', outChannels: 10, kernel: 1 },
      { type: 'avgPool', kernel: 3 },
      { type: 'flatten', functional: true },
      { type: 'logSoftmax', functional: true },
    ],
  },
  {
    ours: {
      epochs: 5,
      batchSize: 128,
      optimizer: { type: 'adam' },
      learningRate: 0.01,
      schedule: { type: 'one-cycle' },
    },
    /** The author's notebook; batch norm takes the statistics of whole batches there. */
    author: {
      epochs: 20,
      batchSize: 512,
      shardSize: 512,
      optimizer: { type: 'sgd', momentum: 0.9 },
      learningRate: 0.01,
      schedule: { type: 'step', every: 15, gamma: 0.1 },
      augmentation: { rotation: 15, centerCrop: { size: 22, probability: 0.1 } },
    },
  },
  '99.4% on the test set with fewer than 20,000 parameters in fewer than 20 epochs',
);
