import { defineZooModel, MNIST } from './zoo-model.js';

/** LeNet-5 with ReLU and max pooling, called as functions in its source (LeCun et al. 1998). */
export const lenet5 = defineZooModel(
  {
    name: 'lenet5',
    description: 'LeNet-5 with ReLU and max pooling',
    ...MNIST,
    layers: [
      { type: 'conv', name: 'conv1', outChannels: 6, kernel: 5 },
      { type: 'relu', functional: true },
      { type: 'maxPool', kernel: 2, functional: true },
      { type: 'conv', name: 'conv2', outChannels: 16, kernel: 5 },
      { type: 'relu', functional: true },
      { type: 'maxPool', kernel: 2, functional: true },
      { type: 'flatten', functional: true },
      { type: 'linear', name: 'fc1', outFeatures: 120 },
      { type: 'relu', functional: true },
      { type: 'linear', name: 'fc2', outFeatures: 84 },
      { type: 'relu', functional: true },
      { type: 'linear', name: 'fc3', outFeatures: 10 },
    ],
  },
  {
    ours: {
      epochs: 10,
      batchSize: 64,
      optimizer: { type: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
      learningRate: 0.01,
    },
  },
  '44,426 parameters; its document names no accuracy',
);
