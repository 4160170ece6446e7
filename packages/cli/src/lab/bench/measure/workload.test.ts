import { findZooModel } from '@lockstep/core/zoo';
import { describe, expect, it } from 'vitest';
import { fitCount } from './bench-node.js';
import { benchRecipe, inferenceFlops, planWorkload, trainingFlops } from './workload.js';

const SAMPLE_BYTES = 784;
const split = (count: number) => ({
  count,
  images: new Uint8Array(count * SAMPLE_BYTES),
  labels: new Uint8Array(count),
});
const dataset = {
  name: 'd',
  source: 'd',
  channels: 1,
  height: 28,
  width: 28,
  classes: 10,
  mean: [0],
  std: [1],
  train: split(1000),
  validation: split(0),
  test: split(900),
  checksum: '',
};

describe('planWorkload', () => {
  const { model, recipe } = findZooModel('cnn11m');
  const workload = planWorkload(model, recipe, dataset, 2);

  it('cuts the training images to whole batches of 128', () => {
    expect(workload.dataset.train).toMatchObject({ count: 896 });
    expect(workload.dataset.train.images.length).toBe(896 * SAMPLE_BYTES);
    expect(workload.dataset.train.labels.length).toBe(896);
  });

  it('cuts the test images of a large model to a multiple of every worker’s chunk', () => {
    expect(workload.dataset.test.count).toBe(512);
  });

  it('takes all test images of a small model', () => {
    const small = findZooModel('lenet5');
    expect(planWorkload(small.model, small.recipe, dataset, 2).dataset.test.count).toBe(900);
  });

  it('counts the FLOP of the issue: 287.4 MFLOP an image for cnn11m', () => {
    expect(trainingFlops(workload.multiplyAdds) / 1e6).toBeCloseTo(287.4, 1);
    expect(inferenceFlops(3)).toBe(6);
  });
});

it('benchRecipe keeps augmentation and dropout, and sets batch, optimizer and rate', () => {
  const { recipe } = findZooModel('net19k');
  expect(benchRecipe(recipe)).toMatchObject({
    augmentation: recipe.augmentation,
    batchSize: 128,
    optimizer: { type: 'adam' },
    learningRate: 1e-3,
    schedule: { type: 'constant' },
  });
});

it('fitCount finds a count that takes about the time', async () => {
  // work that takes no time is repeated until it does
  const calls: number[] = [];
  const count = await fitCount(0.01, async (times) => {
    calls.push(times);
    const endMs = performance.now() + times;
    while (performance.now() < endMs);
  });
  expect(calls[0]).toBe(1);
  expect(count).toBeGreaterThanOrEqual(1);
});
