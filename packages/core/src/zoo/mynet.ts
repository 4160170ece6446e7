import { defineZooModel, MNIST } from './zoo-model.js';

/** "MyNet", the LeNet of Caffe's examples, with ReLU and pooling called as functions in its source. */
export const mynet = defineZooModel(
  {
    name: 'mynet',
    description: "Caffe's LeNet: two 5x5 convolutions and a dense layer of 500",
    ...MNIST,
    layers: [
      { type: 'conv', name: 'conv1', outChannels: 20, kernel: 5 },
      { type: 'relu', functional: true },
      { type: 'maxPool', kernel: 2, functional: true },
      { type: 'conv', name: 'conv2', outChannels: 50, kernel: 5 },
      { type: 'relu', functional: true },
      { type: 'maxPool', kernel: 2, functional: true },
      { type: 'flatten', functional: true },
      { type: 'linear', name: 'fc1', outFeatures: 500 },
      { type: 'relu', functional: true },
      { type: 'linear', name: 'fc2', outFeatures: 10 },
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
  '431,080 parameters; its document names no accuracy',
);
