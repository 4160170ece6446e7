/** For tests: a small dataset. */
import { allocateSplit, createDataset, type Dataset } from './dataset.js';

/** `trainCount` training images of 2x3, four for the test, in which every byte differs from its neighbours. */
export function makeDataset(trainCount: number, change: Partial<Dataset> = {}): Dataset {
  const [train, test] = [trainCount, 4].map((count) => {
    const split = allocateSplit(count, 6);
    split.images.forEach((_, i) => {
      split.images[i] = (i * 31) % 253;
    });
    split.labels.forEach((_, i) => {
      split.labels[i] = i % 10;
    });
    return split;
  }) as [Dataset['train'], Dataset['test']];
  const shape = { channels: 1, height: 2, width: 3, classes: 10, mean: [0.5], std: [0.5] };
  return createDataset({
    name: 'made',
    source: 'test',
    ...shape,
    train,
    validation: allocateSplit(0, 6),
    test,
    ...change,
  });
}
