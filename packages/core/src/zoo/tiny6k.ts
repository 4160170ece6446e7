import { defineZooModel, type LayerInput, MNIST } from './zoo-model.js';

const pointwise = (outChannels: number): LayerInput => ({ type: 'conv', outChannels, kernel: 1, bias: false });

const depthwise = (channels: number): LayerInput => ({
  type: 'conv',
  outChannels: channels,
  kernel: 3,
  groups: channels,
  bias: false,
});

const full = (outChannels: number, padding = 0): LayerInput => ({
  type: 'conv',
  outChannels,
  kernel: 3,
  padding,
  bias: false,
});

/** Batch norm comes after the ReLU in this network. */
const block = (...convs: LayerInput[]): LayerInput[] => [
  ...convs,
  { type: 'relu' },
  { type: 'batchNorm' },
  { type: 'dropout', p: 0.05 },
];

/** "MNIST Digit Recognition": bias-free, depthwise-separable, and the default of `lockstep train`. */
export const tiny6k = defineZooModel(
  {
    name: 'tiny6k',
    description: 'bias-free and depthwise-separable, fewer than 6,500 parameters',
    ...MNIST,
    layers: [
      ...block(full(8)),
      ...block(full(8)),
      ...block(depthwise(8), pointwise(16)),
      ...block(depthwise(16), pointwise(16)),
      { type: 'maxPool', kernel: 2 },
      ...block(pointwise(8)),
      ...block(full(16)),
      ...block(full(16, 1)),
      ...block(depthwise(16), pointwise(32)),
      ...block(depthwise(32), pointwise(10)),
      { type: 'avgPool', kernel: 4 },
      pointwise(10),
      { type: 'flatten', functional: true },
      { type: 'logSoftmax', functional: true },
    ],
  },
  {
    ours: {
      epochs: 10,
      batchSize: 128,
      optimizer: { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 1e-4 },
      learningRate: 0.1,
      schedule: { type: 'one-cycle' },
      augmentation: { shift: 1 },
      dropout: 0,
    },
  },
  'over 99.4% on the test set with fewer than 6,500 parameters within 10 epochs',
);
