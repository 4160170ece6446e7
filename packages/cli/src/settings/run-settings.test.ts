import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findZooModel } from '@lockstep/core/zoo';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunSettings, resolveRun } from './run-settings.js';

const CORES = 4;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-run-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Options as commander gives them. */
const resolve = (options: Record<string, string | boolean> = {}, model?: string): Promise<RunSettings> =>
  resolveRun(model, options, CORES);

function config(text: string, name = 'run.yaml'): { config: string } {
  const path = join(folder, name);
  writeFileSync(path, text);
  return { config: path };
}

describe('resolveRun without settings', () => {
  it('trains tiny6k with its own recipe on every core, from seed 1, into a folder under runs', async () => {
    const { model, recipe, notices, ...rest } = await resolve();
    expect(model).toEqual(findZooModel('tiny6k').model);
    expect(recipe).toEqual(findZooModel('tiny6k').recipe);
    expect(notices).toEqual([]);
    expect(rest).toEqual({
      parameters: 6456,
      seed: 1,
      workers: CORES,
      engine: 'native',
      data: undefined,
      dataForm: { pixels: {} },
      steps: undefined,
      until: undefined,
      validation: 0,
      weights: undefined,
      runFolder: join('runs', 'tiny6k-seed1'),
      keepsWeights: true,
      plot: false,
      watch: { logLevel: 'info' },
      json: false,
      quiet: false,
      dryRun: false,
    });
  });

  it('names the folder of the run after model and seed', async () => {
    expect((await resolve({ seed: '42' }, 'lenet5')).runFolder).toBe(join('runs', 'lenet5-seed42'));
  });
});

describe('precedence', () => {
  it('takes the flag before the config file, and that before the model and the defaults', async () => {
    const file = config('model: net19k\nseed: 5\nworkers: 2\nepochs: 3\nrecipe: {batchSize: 64}\n');
    const settings = await resolve({ ...file, workers: '8', epochs: '1' });
    expect(settings.model.name).toBe('net19k');
    expect(settings).toMatchObject({ seed: 5, workers: 8, recipe: { epochs: 1, batchSize: 64, learningRate: 0.01 } });
  });

  it('takes the model of the command line before that of the config file', async () => {
    expect((await resolve(config('model: net19k\n'), 'lenet5')).model.name).toBe('lenet5');
  });

  it('lets a flag turn off what the config file turns on, and back', async () => {
    const file = config('save: w.safetensors\njson: true\nrecipe: {optimizer: {nesterov: true}}\n');
    expect(await resolve({ ...file, save: false, nesterov: false })).toMatchObject({
      save: undefined,
      json: true,
      recipe: { optimizer: { nesterov: false } },
    });
    expect((await resolve({ ...config('save: false\n'), save: 'a.safetensors' })).save).toBe('a.safetensors');
    expect((await resolve(config('save: false\n'))).save).toBeUndefined();
  });

  it('changes one field of an optimizer and keeps the others', async () => {
    expect((await resolve({ momentum: '0.8' })).recipe.optimizer).toEqual({
      type: 'sgd',
      momentum: 0.8,
      nesterov: true,
      weightDecay: 1e-4,
    });
  });

  it('starts from the defaults of another type of optimizer or schedule', async () => {
    const { recipe } = await resolve({ optimizer: 'adam', schedule: 'cosine' });
    expect(recipe.optimizer).toEqual({ type: 'adam', betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 });
    expect(recipe.schedule).toEqual({ type: 'cosine', minimum: 0 });
  });

  it('keeps the fields when the type that is given is the one it has', async () => {
    expect((await resolve({ optimizer: 'sgd' })).recipe.optimizer).toEqual(findZooModel('tiny6k').recipe.optimizer);
  });

  it('lays flags over an optimizer that the config file changes', async () => {
    const file = config('recipe:\n  optimizer: {type: adamw, eps: 1.0e-6}\n');
    expect((await resolve({ ...file, weightDecay: '0.1' })).recipe.optimizer).toEqual({
      type: 'adamw',
      betas: [0.9, 0.999],
      eps: 1e-6,
      weightDecay: 0.1,
    });
  });
});

describe('every flag of the recipe', () => {
  it.each<[Record<string, string | boolean>, object]>([
    [{ epochs: '3' }, { epochs: 3 }],
    [{ batchSize: '256' }, { batchSize: 256 }],
    [{ shardSize: '32' }, { shardSize: 32 }],
    [{ learningRate: '2e-3' }, { learningRate: 0.002 }],
    [{ momentum: '0' }, { optimizer: { momentum: 0 } }],
    [{ nesterov: false }, { optimizer: { nesterov: false } }],
    [{ weightDecay: '.5' }, { optimizer: { weightDecay: 0.5 } }],
    [{ optimizer: 'adam', betas: '0.8,0.99', eps: '1e-7' }, { optimizer: { betas: [0.8, 0.99], eps: 1e-7 } }],
    [{ schedule: 'constant' }, { schedule: { type: 'constant' } }],
    [{ schedule: 'step', stepEvery: '2', gamma: '0.1' }, { schedule: { type: 'step', every: 2, gamma: 0.1 } }],
    [{ schedule: 'cosine', minimumRate: '1e-5' }, { schedule: { minimum: 1e-5 } }],
    [
      { rise: '0.2', divFactor: '10', finalDivFactor: '100', anneal: 'linear' },
      { schedule: { type: 'one-cycle', rise: 0.2, divFactor: 10, finalDivFactor: 100, anneal: 'linear' } },
    ],
    [{ warmupSteps: '100' }, { warmupSteps: 100 }],
    [{ rotation: '7.5', shift: '2', scale: '0.1' }, { augmentation: { rotation: 7.5, shift: 2, scale: 0.1 } }],
    [{ centerCrop: '22' }, { augmentation: { centerCrop: { size: 22, probability: 1 } } }],
    [{ centerCrop: '22', centerCropP: '0.1' }, { augmentation: { centerCrop: { size: 22, probability: 0.1 } } }],
    [{ dropout: '0.3' }, { dropout: 0.3 }],
  ])('%j', async (options, expected) => {
    expect((await resolve(options)).recipe).toMatchObject(expected);
  });
});

describe('errors name the flag, the value and what is allowed', () => {
  it.each<[Record<string, string | boolean>, string]>([
    [{ workers: '0' }, 'LOCKSTEP_CLI_OPTION: --workers 0 needs --listen as well: somebody must compute'],
    [{ workers: '2.5' }, 'LOCKSTEP_CLI_OPTION: --workers 2.5: must be a whole number from 0 to 1024'],
    [{ workers: 'all' }, 'LOCKSTEP_CLI_OPTION: --workers all: must be a number'],
    [{ workers: '0x10' }, 'LOCKSTEP_CLI_OPTION: --workers 0x10: must be a number'],
    [{ epochs: '' }, 'LOCKSTEP_CLI_OPTION: --epochs "": must be a number'],
    [{ seed: '-1' }, 'LOCKSTEP_CLI_OPTION: --seed -1: must be a whole number of at least 0'],
    [{ seed: '1e17' }, 'LOCKSTEP_CLI_OPTION: --seed 1e17: must be a whole number of at least 0'],
    [{ steps: '0' }, 'LOCKSTEP_CLI_OPTION: --steps 0: must be a whole number of at least 1'],
    [{ until: '0' }, 'LOCKSTEP_CLI_OPTION: --until 0: must be a fraction above 0 and up to 1, such as 0.994'],
    [{ until: '99.4' }, '--until 99.4: must be a fraction above 0 and up to 1, such as 0.994. Did you mean 0.994?'],
    [{ engine: 'cuda' }, 'LOCKSTEP_CLI_OPTION: --engine cuda: must be one of native, tensorflow'],
    [{ save: '' }, 'LOCKSTEP_CLI_OPTION: --save is empty; it needs a value'],
    [{ saveEma: 'w.PTH', ema: '0.9' }, '`lockstep export` makes them from that file'],
    [
      { betas: '0.9;0.99' },
      'LOCKSTEP_CLI_OPTION: --betas "0.9;0.99": must be numbers with commas between them, such as 0.9,0.999',
    ],
    [{ epochs: '0' }, 'LOCKSTEP_RECIPE: --epochs 0: must be at least 1'],
    [{ epochs: '2.5' }, 'LOCKSTEP_RECIPE: --epochs 2.5: must be a whole number'],
    [{ batchSize: '100000' }, 'LOCKSTEP_RECIPE: --batch-size 100000: must be at most 65536'],
    [{ shardSize: '17' }, 'LOCKSTEP_RECIPE: --shard-size 17: must be a multiple of 16'],
    [{ learningRate: '0' }, 'LOCKSTEP_RECIPE: --learning-rate 0: must be above 0'],
    [{ momentum: '1' }, 'LOCKSTEP_RECIPE: --momentum 1: must be below 1'],
    [{ optimizer: 'adma' }, 'LOCKSTEP_RECIPE: --optimizer adma: must be one of sgd, adam, adamw. Did you mean adam?'],
    [{ gradientPrecision: 'fp16' }, 'LOCKSTEP_RECIPE: --gradient-precision fp16: must be one of float32, bf16'],
    [{ anneal: 'cos' }, 'LOCKSTEP_RECIPE: --anneal cos: must be one of cosine, linear. Did you mean cosine?'],
    [
      { optimizer: 'adam', momentum: '0.9' },
      'LOCKSTEP_RECIPE: --momentum 0.9: the optimizer is adam, which takes --betas, --eps, --weight-decay',
    ],
    [{ optimizer: 'adam', nesterov: true }, 'LOCKSTEP_RECIPE: --nesterov: the optimizer is adam, which takes --betas'],
    [{ optimizer: 'adam', nesterov: false }, 'LOCKSTEP_RECIPE: --no-nesterov: the optimizer is adam'],
    [{ optimizer: 'adam', betas: '0.9' }, 'LOCKSTEP_RECIPE: --betas 0.9: must be 2 numbers'],
    [{ optimizer: 'adam', betas: '0.9,1' }, 'LOCKSTEP_RECIPE: --betas 0.9,1: must be below 1'],
    [{ schedule: 'step', gamma: '0.1' }, 'LOCKSTEP_RECIPE: --schedule step: needs --step-every as well'],
    [{ schedule: 'constant', rise: '0.1' }, '--rise 0.1: the schedule is constant, which takes no such setting'],
    [
      { gamma: '0.1' },
      '--gamma 0.1: the schedule is one-cycle, which takes --rise, --div-factor, --final-div-factor, --anneal',
    ],
  ])('%j', async (options, message) => {
    await expect(resolve(options)).rejects.toThrow(message);
  });

  it.each(['w.onnx', 'w.pt', 'w.pth', 'w.h5', 'w.npz'])(
    'cases: work 28: --save %s, which `export` makes',
    async (save) => {
      const text = `LOCKSTEP_CLI_OPTION: --save ${save}: weights are saved as .safetensors, which PyTorch loads;`;
      await expect(resolve({ save })).rejects.toThrow(text);
      await expect(resolve({ save })).rejects.toThrow('`lockstep export` makes them from that file');
    },
  );
});

it.each(['w.bin', 'w', 'w.safetensors.tmp'])('says that --save %s is written as safetensors', async (save) => {
  const note = `${save} is written as a .safetensors file, whatever its name says`;
  expect((await resolve({ save })).notices).toContain(note);
  expect((await resolve({ save: 'w.safetensors', saveEma: save, ema: '0.9' })).notices).toContain(note);
  for (const plain of ['w.safetensors', 'W.SAFETENSORS', '/dev/null']) {
    expect((await resolve({ save: plain })).notices.join()).not.toContain('whatever its name');
  }
});

describe('errors of a config file name file and line', () => {
  it.each([
    ['workers: "8"\n', 'LOCKSTEP_CONFIG: FILE:1: workers "8": must be a whole number from 0 to 1024'],
    ['seed: 1\nepochs: 2.5\n', 'LOCKSTEP_RECIPE: FILE:2: recipe.epochs 2.5: must be a whole number'],
    ['recipe:\n  epoch: 2\n', 'LOCKSTEP_RECIPE: FILE:2: recipe.epoch 2: unknown field. Did you mean epochs?'],
    [
      'recipe:\n  augmentation:\n    shfit: 2\n',
      'FILE:3: recipe.augmentation.shfit 2: unknown field. Did you mean shift?',
    ],
    [
      'recipe:\n  augmentation:\n    centerCrop: { size: 22, probabilty: 0.1 }\n',
      'FILE:3: recipe.augmentation.centerCrop.probabilty 0.1: unknown field. Did you mean probability?',
    ],
    [
      'recipe:\n  augmentation:\n    centerCrop: { probability: 0.1 }\n',
      'FILE:3: recipe.augmentation.centerCrop.probability 0.1: needs size as well',
    ],
    ['recipe:\n  augmentation: 2\n', 'FILE:2: recipe.augmentation 2: must be fields under this name'],
    [
      'recipe:\n  optimizer:\n    type: adam\n    momentum: 0.9\n',
      'FILE:4: recipe.optimizer.momentum 0.9: the optimizer is adam, which takes betas, eps, weightDecay',
    ],
    [
      'recipe:\n  schedule:\n    type: step\n    every: 3\n',
      'FILE:3: recipe.schedule.type "step": needs gamma as well',
    ],
    ['recipe:\n  optimizer:\n    nesterov: 1\n', 'FILE:3: recipe.optimizer.nesterov 1: must be true or false'],
    ['json: yes\n', 'LOCKSTEP_CONFIG: FILE:1: json "yes": must be true or false'],
    ['model:\n  name: x\n', 'LOCKSTEP_MODEL_SPEC: FILE:1: needs input as well'],
  ])('%j', async (text, message) => {
    const file = config(text);
    await expect(resolve(file)).rejects.toThrow(message.replace('FILE', file.config));
  });

  it('blames the flag when the flag is what is wrong', async () => {
    const file = config('recipe:\n  optimizer: {type: adam}\n');
    await expect(resolve({ ...file, momentum: '0.9' })).rejects.toThrow('--momentum 0.9: the optimizer is adam');
  });
});

it('takes a model that is written out in the config file', async () => {
  const { model, recipe } = await resolve(
    config(
      'epochs: 2\nmodel:\n  name: mine\n  input: {channels: 1, height: 28, width: 28}\n  classes: 10\n' +
        '  layers: [{type: flatten}, {type: linear, outFeatures: 10}]\n',
    ),
  );
  expect(model.name).toBe('mine');
  expect(model.layers).toHaveLength(2);
  expect(recipe.epochs).toBe(2);
});

it('does one step and saves nothing in a dry run, but knows where it would save', async () => {
  expect(await resolve({ dryRun: true, steps: '50' })).toMatchObject({
    dryRun: true,
    steps: 1,
    runFolder: join('runs', 'tiny6k-seed1'),
  });
});

it('notes that a learning rate was chosen for another optimizer, unless one is given', async () => {
  expect((await resolve({ optimizer: 'adam' })).notices).toEqual([
    'the learning rate stays 0.1, chosen for sgd; adam may need another (--learning-rate)',
  ]);
  expect((await resolve({ optimizer: 'adam', learningRate: '0.001' })).notices).toEqual([]);
});

describe('--recipe', () => {
  it('starts from the recipe of that name; flags go before it', async () => {
    expect((await resolve({ recipe: 'author', epochs: '3' }, 'gap19k')).recipe).toMatchObject({
      epochs: 3,
      batchSize: 512,
      optimizer: { type: 'sgd', momentum: 0.9 },
    });
  });

  it('can stand in a config file as recipeName', async () => {
    expect((await resolve(config('model: gap19k\nrecipeName: author'))).recipe.batchSize).toBe(512);
  });

  it('is refused for a model that is not in the zoo', async () => {
    const path = join(folder, 'my.json');
    const input = { channels: 1, height: 1, width: 2 };
    writeFileSync(path, JSON.stringify({ name: 'my', input, classes: 2, layers: [{ type: 'flatten' }] }));
    await expect(resolve({ recipe: 'author' }, path)).rejects.toThrow(
      expect.objectContaining({ code: 'LOCKSTEP_CLI_OPTION', text: expect.stringContaining('my is none') }),
    );
  });

  it('is refused with a name that the model does not know', async () => {
    await expect(resolve({ recipe: 'fast' }, 'cnn11m')).rejects.toThrow(
      expect.objectContaining({ code: 'LOCKSTEP_RECIPE_UNKNOWN' }),
    );
  });
});
