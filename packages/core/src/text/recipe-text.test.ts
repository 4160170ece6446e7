import { expect, it } from 'vitest';
import { type RecipeInput, recipeSchema } from '../spec/recipe.js';
import { formatRecipe } from './recipe-text.js';

const cases: [RecipeInput, string][] = [
  [{}, '10 epochs, batch 128, Adam, rate 0.001'],
  [
    { epochs: 1, shardSize: 32, optimizer: { type: 'sgd' }, learningRate: 0.1, warmupSteps: 50 },
    '1 epoch, batch 128 in shards of 32, SGD, rate 0.1, warm-up 50 steps',
  ],
  [
    {
      optimizer: { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 1e-4 },
      schedule: { type: 'step', every: 9, gamma: 0.15 },
      augmentation: { rotation: 7, shift: 1, scale: 0.1 },
      dropout: 0.2,
    },
    '10 epochs, batch 128, SGD momentum 0.9 nesterov weight decay 0.0001, rate 0.001 x0.15 every 9 epochs, rotation ±7°, shift ±1, scale ±0.1, dropout 0.2',
  ],
  [
    { optimizer: { type: 'adamw', betas: [0.8, 0.99], eps: 1e-6 }, schedule: { type: 'cosine', minimum: 1e-5 } },
    '10 epochs, batch 128, AdamW betas 0.8,0.99 eps 0.000001 weight decay 0.01, rate 0.001 cosine down to 0.00001',
  ],
  [
    { clipNorm: 1, gradientPrecision: 'bf16' },
    '10 epochs, batch 128, Adam, rate 0.001, clip norm 1, gradients in bf16',
  ],
  [
    { augmentation: { centerCrop: { size: 22, probability: 0.1 } } },
    '10 epochs, batch 128, Adam, rate 0.001, centre crop to 22 with probability 0.1',
  ],
  [{ gradientPrecision: 'float32' }, '10 epochs, batch 128, Adam, rate 0.001'],
  [{ schedule: { type: 'one-cycle' } }, '10 epochs, batch 128, Adam, rate 0.001 one-cycle'],
];

it.each(cases)('says what differs from the plainest recipe: %j', (input, text) => {
  expect(formatRecipe(recipeSchema.parse(input))).toBe(text);
});
