/** What programs may give to the functions of 'lockstep': refused as flags are, before anything starts. */
import { describe, expect, it } from 'vitest';
import { createArrayDataset, type Dataset, train } from '../packages/cli/dist/index.js';

/** Options as a program without types would give them. */
const trainWith = (options: unknown) => train(options as Parameters<typeof train>[0]).result();

const arrays = {
  ...{ channels: 1, height: 1, width: 2, classes: 2 },
  train: { images: Uint8Array.of(0, 255, 255, 0), labels: [0, 1] },
  test: { images: Uint8Array.of(1, 2), labels: [1] },
};
const data: Dataset = createArrayDataset(arrays);

const WHOLE = 'must be a whole number of at least';
const EVERY = 'must be a number of steps or epochs, such as "500 steps" or "2 epochs"';

describe('train refuses', () => {
  it.each<[string, object, string]>([
    ['cases: numbers 6: half a step', { steps: 2.5 }, `steps 2.5: ${WHOLE} 1`],
    ['cases: numbers 7: no steps', { checkpoints: { folder: 'c', every: { count: 0, unit: 'steps' } } }, EVERY],
    ['cases: numbers 7: a form', { checkpoints: { folder: 'c', every: 500 } }, `checkpoints.every 500: ${EVERY}`],
    ['cases: numbers 8: half a seed', { seed: 1.5 }, `seed 1.5: ${WHOLE} 0`],
    ['cases: numbers 8: a negative seed', { seed: -1 }, `seed -1: ${WHOLE} 0`],
    ['cases: numbers 8: a fraction above 1', { until: 2 }, 'until 2: must be a fraction above 0 and up to 1'],
    ['cases: numbers 8: a fraction below 0', { until: -1 }, 'until -1: must be a fraction above 0 and up to 1'],
    ['cases: numbers 8: no patience', { patience: 0 }, `patience 0: ${WHOLE} 1`],
    ['cases: numbers 8: half a worker', { workers: 1.5 }, 'workers 1.5: must be a whole number from 1 to 1024'],
    ['cases: numbers 8: an unknown metric', { best: 'nonsense' }, 'best "nonsense": must be one of testAccuracy, '],
    ['cases: numbers 8: an unknown option', { stpes: 2 }, 'unknown option "stpes". Did you mean steps?'],
    [
      'an unknown option within',
      { checkpoints: { folder: 'c', evry: 1 } },
      '"evry" of checkpoints. Did you mean every?',
    ],
    ['checkpoints without a folder', { checkpoints: {} }, 'checkpoints.folder: must be text'],
    ['checkpoints that are none', { checkpoints: 'c' }, 'checkpoints "c": must be an object with a folder'],
    ['no number', { steps: Number.NaN }, `steps NaN: ${WHOLE} 1`],
    ['null', { seed: null }, `seed null: ${WHOLE} 0`],
    ['a signal that is none', { signal: {} }, 'signal: must be an object of the class AbortSignal'],
    ['resume beside weights', { resume: 'a', weights: 'b' }, 'resume goes on with the weights of the checkpoint'],
    ['override alone', { override: true }, 'override needs resume as well'],
    ['a new head alone', { replaceHead: 3 }, 'replaceHead needs weights as well'],
    ['nothing to judge by', { evaluate: 'end', until: 0.9 }, 'evaluate end leaves nothing to judge epochs by'],
  ])('%s', async (_, options, text) => {
    await expect(trainWith({ data: '/nowhere', ...options })).rejects.toThrow(
      expect.objectContaining({ code: 'LOCKSTEP_OPTION', text: expect.stringContaining(text) }),
    );
  });

  it('what is no options at all', async () => {
    await expect(trainWith('tiny6k')).rejects.toThrow('LOCKSTEP_OPTION: options: must be an object with options');
  });

  it.each<[string, Partial<Dataset>, string]>([
    ['cases: numbers 8: mean of another length', { mean: [0.1, 0.2] }, 'mean has 2 numbers for 1 channels; give one'],
    ['a spread of 0', { std: [0] }, 'std.0 0 must be a finite number above 0'],
    [
      'cases: numbers 8: classes that bytes cannot count',
      { classes: 257 },
      'classes 257 must be a whole number from 1 to 256',
    ],
    ['a label that is no class', { classes: 1 }, 'label '],
    ['splits of another size', { width: 3 }, 'train has 2 images of 1x1x3, 2 labels and 4 bytes of images'],
  ])('a dataset with %s', async (_, change, text) => {
    await expect(trainWith({ data: { ...data, ...change } })).rejects.toThrow(
      expect.objectContaining({ code: 'LOCKSTEP_DATA_ARRAYS', text: expect.stringContaining(text) }),
    );
  });
});

describe('createArrayDataset refuses', () => {
  it.each<[string, object, string]>([
    [
      'cases: numbers 8: labels wrap',
      { classes: 300 },
      'LOCKSTEP_OPTION: options: classes 300: must be a whole number from 1 to 256',
    ],
    [
      'cases: numbers 8: mean',
      { mean: [1, 2] },
      'LOCKSTEP_DATA_ARRAYS: the arrays do not make a dataset: mean has 2 numbers',
    ],
    ['half a row', { height: 0.5 }, 'LOCKSTEP_OPTION: options: height 0.5: must be a whole number of at least 1'],
    ['an unknown option', { clases: 3 }, 'unknown option "clases". Did you mean classes?'],
    [
      'floats',
      { test: { images: [0.5, 1], labels: [0] } },
      'options: test: must be an object with images (Uint8Array)',
    ],
  ])('%s', (_, change, text) => {
    expect(() => createArrayDataset({ ...arrays, ...change } as typeof arrays)).toThrow(text);
  });
});
