/** Flags for checkpoints, transfer learning, early stopping and averaging: what they set, and what is refused. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inferLayers } from '@lockstep/core/model';
import { initialBuffers, initialParameters } from '@lockstep/core/run';
import { writeCheckpoint } from '@lockstep/core/state';
import { findZooModel } from '@lockstep/core/zoo';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunSettings, resolveRun } from './run-settings.js';
import { saveModelState } from './weights-file.js';

const { model, recipe } = findZooModel('lenet5');
const layers = inferLayers(model);
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-flags-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const resolve = (options: Record<string, string | boolean> = {}, name?: string): Promise<RunSettings> =>
  resolveRun(name, options, 4);

/** A checkpoint of lenet5 with seed 9 and another learning rate. */
function writeOne(): string {
  const checkpoints = join(folder, 'ckpt');
  const dataset = { source: 'x', checksum: 'c', trainSamples: 55_000, validationSamples: 5000 };
  const changed = {
    ...recipe,
    optimizer: { type: 'sgd' as const, momentum: 0, nesterov: false, weightDecay: 0 },
    learningRate: 0.5,
  };
  const info = { step: 3, seed: 9, model, recipe: changed, dataset, epochs: [], epochSeconds: 0 };
  const state = new Float32Array(layers.flatMap((layer) => layer.parameters).length * 100_000);
  writeCheckpoint(checkpoints, { info, snapshot: { step: 3, state, slots: [], results: new Float32Array(6) } });
  return checkpoints;
}

function writeWeights(): string {
  const path = join(folder, 'w.safetensors');
  saveModelState(path, model, { parameters: initialParameters(layers, 1), buffers: initialBuffers(layers) }, 0);
  return path;
}

describe('flags of the recipe', () => {
  it.each<[Record<string, string | boolean>, object]>([
    [{ ema: '0.99' }, { ema: 0.99 }],
    [{ ema: '0.99', emaWarmup: true }, { emaWarmup: true }],
    [{ clipNorm: '1.5' }, { clipNorm: 1.5 }],
    [{ gradientPrecision: 'bf16' }, { gradientPrecision: 'bf16' }],
    [{ labelSmoothing: '.1' }, { labelSmoothing: 0.1 }],
    [{ freeze: '0,2.weight' }, { freeze: ['0', '2.weight'] }],
    [{ freeze: 'features.*' }, { freeze: ['features.*'] }],
  ])('%j', async (options, expected) => {
    expect((await resolve(options)).recipe).toMatchObject(expected);
  });

  it('may stand in a config file', async () => {
    const config = join(folder, 'run.yaml');
    writeFileSync(
      config,
      'model: lenet5\nema: 0.9\nrecipe: {freeze: [conv1], clipNorm: 2}\ncheckpoint: ckpt\nevery: 500 steps\nkeep: 5\nbest: testLoss\npatience: 3\n',
    );
    const settings = await resolve({ config });
    expect(settings.recipe).toMatchObject({ ema: 0.9, freeze: ['conv1'], clipNorm: 2 });
    expect(settings).toMatchObject({ patience: 3, best: 'testLoss' });
    const every = { count: 500, unit: 'steps' };
    expect(settings.checkpoints).toEqual({ folder: join(folder, 'ckpt'), every, keep: 5, best: 'testLoss' });
  });
});

describe('--resume', () => {
  it('takes model, recipe, seed and held-out images of the checkpoint, and writes on into its folder', async () => {
    const resumed = writeOne();
    const settings = await resolve({ resume: resumed });
    expect(settings).toMatchObject({
      seed: 9,
      validation: 5000,
      recipe: { learningRate: 0.5, optimizer: { type: 'sgd' } },
    });
    expect(settings.model).toEqual(model);
    expect(settings.checkpoints?.folder).toBe(resumed);
    expect(settings.resume?.checkpoint.info.step).toBe(3);
  });

  it('lays flags over the recipe of the checkpoint', async () => {
    expect(await resolve({ resume: writeOne(), epochs: '77', seed: '8' })).toMatchObject({
      seed: 8,
      recipe: { epochs: 77, learningRate: 0.5 },
    });
  });

  it('writes none with --no-checkpoint, and elsewhere with --checkpoint', async () => {
    const resumed = writeOne();
    expect((await resolve({ resume: resumed, checkpoint: false })).checkpoints).toBeUndefined();
    expect((await resolve({ resume: resumed, checkpoint: 'other' })).checkpoints?.folder).toBe('other');
  });

  it('cases: work 12: of a single checkpoint writes into the folder that it is in', async () => {
    const resumed = writeOne();
    const single = join(resumed, 'step-0000000003');
    expect((await resolve({ resume: single })).checkpoints?.folder).toBe(resumed);
    expect((await resolve({ resume: `${single}/` })).checkpoints?.folder).toBe(resumed);
    const copy = join(folder, 'copy');
    renameSync(single, copy);
    expect((await resolve({ resume: copy, checkpoint: 'other' })).checkpoints?.folder).toBe('other');
    await expect(resolve({ resume: copy })).rejects.toThrow(
      `LOCKSTEP_CLI_OPTION: --resume ${copy} lies in no folder of checkpoints; name one with --checkpoint DIR, or --no-checkpoint`,
    );
  });
});

describe('--weights', () => {
  it('brings its model along, with the recipe of the zoo, and a new head where one is asked for', async () => {
    const weights = writeWeights();
    expect(await resolve({ weights })).toMatchObject({ model: { name: 'lenet5', classes: 10 }, recipe });
    const settings = await resolve({ weights, replaceHead: '5' });
    expect(settings.model).toMatchObject({ name: 'lenet5', classes: 5 });
    expect(settings.hasNewHead).toBe(true);
    expect(settings.parameters).toBe(44_426 - 5 * 85);
  });
});

describe('what is refused', () => {
  it.each<[Record<string, string | boolean>, string]>([
    [{ every: '500' }, '--every 500: must be a number of steps or epochs, such as "500 steps" or "2 epochs"'],
    [{ every: '0 steps' }, '--every "0 steps": must be a number of steps or epochs'],
    [{ every: '2 epochs' }, 'LOCKSTEP_CLI_OPTION: --every needs --checkpoint as well'],
    [{ keep: '3' }, 'LOCKSTEP_CLI_OPTION: --keep needs --checkpoint as well'],
    [{ keep: '0', checkpoint: 'c' }, '--keep 0: must be a whole number of at least 1'],
    [{ best: 'accuracy' }, '--best accuracy: must be one of testAccuracy, testLoss, validationAccuracy'],
    [{ patience: '0' }, '--patience 0: must be a whole number of at least 1'],
    [{ override: true }, 'LOCKSTEP_CLI_OPTION: --override needs --resume as well'],
    [{ replaceHead: '5' }, 'LOCKSTEP_CLI_OPTION: --replace-head needs --weights as well'],
    [{ saveEma: 'e.safetensors' }, 'LOCKSTEP_CLI_OPTION: --save-ema needs --ema as well'],
    [{ ema: '1' }, 'LOCKSTEP_RECIPE: --ema 1: must be below 1'],
    [{ clipNorm: '0' }, 'LOCKSTEP_RECIPE: --clip-norm 0: must be above 0'],
    [{ labelSmoothing: '1.5' }, 'LOCKSTEP_RECIPE: --label-smoothing 1.5: must be at most 1'],
    [{ freeze: 'conv9' }, 'LOCKSTEP_FREEZE_PATTERN: --freeze conv9 matches no parameter.'],
    [
      { resume: '/nowhere/at/all' },
      'LOCKSTEP_CHECKPOINT_NONE: no checkpoint to resume in /nowhere/at/all: there is no such folder.',
    ],
  ])('%j', async (options, message) => {
    await expect(resolve(options)).rejects.toThrow(message);
  });

  it('is --weights beside --resume', async () => {
    await expect(resolve({ resume: writeOne(), weights: writeWeights() })).rejects.toThrow(
      'LOCKSTEP_CLI_OPTION: --resume goes on with the weights of the checkpoint; leave --weights out',
    );
  });
});
