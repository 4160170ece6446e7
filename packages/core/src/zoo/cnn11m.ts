import { defineZooModel, MNIST } from './zoo-model.js';

/**
 * "CNN": the large one, 80% of its parameters in one dense layer. Names are those of two nested
 * nn.Sequential, `features` and `classifier`. Its dropout probability is not documented: nn.Dropout's default.
 */
export const cnn11m = defineZooModel(
  {
    name: 'cnn11m',
    description: 'six convolutions and three large dense layers, 11.7 million parameters',
    ...MNIST,
    layers: [
      { type: 'conv', name: 'features.0', outChannels: 32, kernel: 5, padding: 1 },
      { type: 'relu', name: 'features.1' },
      { type: 'conv', name: 'features.2', outChannels: 64, kernel: 3, padding: 1 },
      { type: 'relu', name: 'features.3' },
      { type: 'maxPool', name: 'features.4', kernel: 2 },
      { type: 'conv', name: 'features.5', outChannels: 96, kernel: 3, padding: 1 },
      { type: 'relu', name: 'features.6' },
      { type: 'conv', name: 'features.7', outChannels: 64, kernel: 3, padding: 1 },
      { type: 'relu', name: 'features.8' },
      { type: 'conv', name: 'features.9', outChannels: 32, kernel: 3, padding: 1 },
      { type: 'relu', name: 'features.10' },
      { type: 'conv', name: 'features.11', outChannels: 32, kernel: 3, padding: 1 },
      { type: 'relu', name: 'features.12' },
      { type: 'maxPool', name: 'features.13', kernel: 2, stride: 1 },
      { type: 'flatten', functional: true },
      { type: 'dropout', name: 'classifier.0', p: 0.5 },
      { type: 'linear', name: 'classifier.1', outFeatures: 2048 },
      { type: 'relu', name: 'classifier.2' },
      { type: 'dropout', name: 'classifier.3', p: 0.5 },
      { type: 'linear', name: 'classifier.4', outFeatures: 1024 },
      { type: 'relu', name: 'classifier.5' },
      { type: 'linear', name: 'classifier.6', outFeatures: 10 },
    ],
  },
  { author: { epochs: 10, batchSize: 128, optimizer: { type: 'adam' }, learningRate: 1e-3 } },
  '99% on the test set within 10 epochs',
);
