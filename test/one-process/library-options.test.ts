/** What programs may give to the functions of 'lockstep': refused as flags are, before anything starts. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as lockstep from '../../packages/cli/dist/index.js';
import {
  createArrayDataset,
  type Dataset,
  loadMnist,
  loadModel,
  openDataset,
  train,
} from '../../packages/cli/dist/index.js';

/** Options as a program without types would give them. */
const trainWith = (options: unknown) => train(options as Parameters<typeof train>[0]).result();

const arrays = {
  ...{ channels: 1, height: 1, width: 2, classes: 2 },
  train: { images: Uint8Array.of(0, 255, 255, 0), labels: [0, 1] },
  test: { images: Uint8Array.of(1, 2), labels: [1] },
};
const data: Dataset = createArrayDataset(arrays);

/** None of these may go; a new one is added here. */
const EXPORTS = [
  'ArrayDatasetOptions',
  'ArraySplit',
  'AverageEvaluation',
  'CheckpointEvent',
  'CheckpointPolicy',
  'ComputeOptions',
  'DataNotes',
  'DataOptions',
  'Dataset',
  'EndEvent',
  'EpochEvent',
  'EvaluateResult',
  'Evaluation',
  'EvaluationRecord',
  'ImagePrediction',
  'LockstepError',
  'MetricName',
  'MnistOptions',
  'ModelSource',
  'ModelSpec',
  'ModelSpecInput',
  'ModelState',
  'Prediction',
  'ProgressEvent',
  'Recipe',
  'RecipeInput',
  'RunControl',
  'RunEvent',
  'RunObserver',
  'RunView',
  'Split',
  'SplitName',
  'StartEvent',
  'StepTimes',
  'TrainOptions',
  'TrainedModel',
  'TrainingRun',
  'WarningEvent',
  'createArrayDataset',
  'holdOutValidation',
  'loadMnist',
  'loadModel',
  'openDataset',
  'train',
  'zooModels',
].toSorted();

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
    ['cases: numbers 8: mean of another length', { mean: [0.1, 0.2] }, 'mean has 2 numbers for 1 channel; give one'],
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
      { mean: [1, 2], std: [1, 1] },
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

describe('the other functions refuse', () => {
  const options = (value: unknown) => value as never;
  const model = new lockstep.TrainedModel(
    { name: 'm', input: { channels: 1, height: 1, width: 2 }, classes: 2, layers: [{ type: 'flatten' }] },
    { parameters: [], buffers: [] },
    { mean: [0], std: [1], border: 0, classNames: ['0', '1'] },
    0,
  );

  it.each<[string, () => Promise<unknown>, string]>([
    ['openDataset: no path', () => openDataset(options(7)), 'path 7: must be text'],
    [
      'openDataset: a size',
      () => openDataset('/x', options({ resize: { height: 0, width: 28 } })),
      'resize: must be a height',
    ],
    [
      'save: the name of another form',
      async () => model.save('w.onnx'),
      'path "w.onnx": weights are saved as .safetensors, which PyTorch loads',
    ],
    ['openDataset: half an image', () => openDataset('/x', { heldOut: 0.5 }), `heldOut 0.5: ${WHOLE} 1`],
    [
      'openDataset: labels wrap',
      () => openDataset('/x', { classes: 300 }),
      'classes 300: must be a whole number from 1 to 256',
    ],
    [
      'openDataset: an unknown option',
      () => openDataset('/x', options({ labelColum: 'y' })),
      'Did you mean labelColumn?',
    ],
    [
      'loadMnist: an unknown option',
      () => loadMnist(options({ ofline: true })),
      'unknown option "ofline". Did you mean offline?',
    ],
    [
      'loadMnist: text for a switch',
      () => loadMnist(options({ offline: 'yes' })),
      'offline "yes": must be true or false',
    ],
    ['loadModel: an unknown option', () => loadModel('/x', options({ modle: 'm' })), 'Did you mean model?'],
    [
      'loadModel: a number for a model',
      () => loadModel('/x', options({ model: 3 })),
      'model 3: must be a name of the zoo',
    ],
    [
      'predict: half a worker',
      () => model.predict(new Uint8Array(2), { workers: 0.5 }),
      'workers 0.5: must be a whole number',
    ],
    ['predict: floats', () => model.predict(options(new Float32Array(2))), 'images: must be a Uint8Array'],
    [
      'evaluate: no split',
      () => model.evaluate(data, options({ split: 'tset' })),
      'split "tset": must be one of train, validation, test. Did you mean test?',
    ],
    ['evaluate: no dataset', () => model.evaluate(options('/x')), 'dataset "/x": must be a dataset'],
  ])('%s', async (_, call, text) => {
    await expect(call()).rejects.toThrow(
      expect.objectContaining({ code: 'LOCKSTEP_OPTION', text: expect.stringContaining(text) }),
    );
  });
});

describe("the entry of 'lockstep'", () => {
  it('exports the names that programs know', () => {
    const text = readFileSync(new URL('../../packages/cli/dist/index.d.ts', import.meta.url), 'utf8');
    const lists = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names = '']) => names.split(','));
    const names = lists.map((name) => name.trim().replace(/^type /, '')).filter((name) => name !== '');
    expect(names.toSorted()).toEqual(EXPORTS);
    const values = Object.keys(lockstep);
    expect(values.toSorted()).toEqual(
      ['LockstepError', 'RunControl', 'TrainedModel', 'TrainingRun', 'createArrayDataset', 'holdOutValidation'].concat([
        'loadMnist',
        'loadModel',
        'openDataset',
        'train',
        'zooModels',
      ]),
    );
  });
});
