import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModelSpec } from './model-file.js';
import { findZooModel } from './zoo.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-model-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const write = (text: string): string => {
  const path = join(folder, 'my.json');
  writeFileSync(path, text);
  return path;
};

const model = {
  name: 'my',
  input: { channels: 1, height: 3, width: 3 },
  classes: 2,
  layers: [{ type: 'flatten' }, { type: 'linear', outFeatures: 2 }],
};

describe('loadModelSpec', () => {
  it('finds a model of the zoo by its name, with its recipe', () => {
    const { model, recipe } = findZooModel('mynet');
    expect(loadModelSpec('mynet')).toEqual({ model, recipe, source: 'zoo' });
  });

  it('reads a model from a file and fills in the defaults of its recipe', () => {
    const path = write(JSON.stringify({ ...model, recipe: { epochs: 3, optimizer: { type: 'sgd', momentum: 0.5 } } }));
    expect(loadModelSpec(path)).toMatchObject({
      source: path,
      model: { name: 'my', layers: [{ type: 'flatten' }, { type: 'linear', outFeatures: 2, bias: true }] },
      recipe: { epochs: 3, batchSize: 128, optimizer: { type: 'sgd', momentum: 0.5, nesterov: false } },
    });
  });

  it('gives a file without a recipe the default recipe', () => {
    expect(loadModelSpec(write(JSON.stringify(model))).recipe).toMatchObject({
      epochs: 10,
      optimizer: { type: 'adam' },
    });
  });

  const refused = (run: () => unknown, code: string, text: string): void =>
    expect(run).toThrow(expect.objectContaining({ code, text }));

  it('takes a word that is no path for the name of an unknown model', () => {
    expect(() => loadModelSpec('gap9k')).toThrow(
      /^LOCKSTEP_MODEL_UNKNOWN: no model is called "gap9k"\. Did you mean gap19k\?/,
    );
  });

  it('says that a file is missing, and what would work', () => {
    const path = join(folder, 'missing.json');
    const text =
      `cannot read the model ${path}: there is no such file. ` +
      'Give a path to a JSON file with a model, or one of tiny6k, net19k, gap19k, lenet5, mynet, cnn11m, sprint13k, sprint33k, sprint165k.';
    refused(() => loadModelSpec(path), 'LOCKSTEP_MODEL_FILE', text);
  });

  it('says that a path is a folder', () => {
    expect(() => loadModelSpec(`${folder}/`)).toThrow(/^LOCKSTEP_MODEL_FILE: .*: it is a folder\./);
  });

  it('names line and column where a file stops being JSON', () => {
    const path = write('{\n  "name": "my"\n  "classes": 2\n}\n');
    const text = `${path} is not JSON: line 3, column 3: expected "," or "}" but found "\\"".`;
    refused(() => loadModelSpec(path), 'LOCKSTEP_MODEL_JSON', text);
  });

  it('refuses JSON that is not an object', () => {
    const path = write('[]');
    const text = `${path}: expected an object { "name", "input", "classes", "layers" } at the top of the file.`;
    refused(() => loadModelSpec(path), 'LOCKSTEP_MODEL_SPEC', text);
  });

  it('names file, layer and field of a wrong model', () => {
    const path = write(JSON.stringify({ ...model, layers: [{ type: 'conv', outChannels: 2 }] }));
    const text = `${path}:1: layer 1 (conv): needs kernel as well`;
    refused(() => loadModelSpec(path), 'LOCKSTEP_MODEL_SPEC', text);
  });

  it('refuses a model whose layers do not fit together', () => {
    const path = write(JSON.stringify({ ...model, layers: [{ type: 'conv', outChannels: 2, kernel: 5 }] }));
    const text = 'my: layer 1 (conv): kernel 5 does not fit its 3x3 input';
    refused(() => loadModelSpec(path), 'LOCKSTEP_MODEL_SHAPE', text);
  });

  it('names the field of a wrong recipe', () => {
    const path = write(JSON.stringify({ ...model, recipe: { shardSize: 24 } }));
    const text = `${path}:1: recipe.shardSize 24: must be a multiple of 16`;
    refused(() => loadModelSpec(path), 'LOCKSTEP_RECIPE', text);
  });

  it.each<[string, number, string, string]>([
    [
      '{ "type": "conv", "outchannels": 2, "kernel": 3 }',
      5,
      'MODEL_SPEC',
      'layer 2 (conv): outchannels: it is a conv layer, which takes outChannels, kernel, stride, padding, groups, bias, name, functional. Did you mean outChannels?',
    ],
    [
      '{ "type": "convv", "outChannels": 2, "kernel": 3 }',
      5,
      'MODEL_SPEC',
      'layer 2: there is no convv. Did you mean conv? There are',
    ],
    [
      '{ "type": "conv", "outChannels": 2, "kernel": 3,\n "dilation": 2 }',
      6,
      'MODEL_SPEC',
      'layer 2 (conv): dilation: it is a conv layer, which takes outChannels, kernel, stride',
    ],
    [
      '{ "type": "conv", "out_channels": 2, "kernel_size": 3 }',
      5,
      'MODEL_SPEC',
      'layer 2 (conv): out_channels: it is a conv layer, which takes outChannels, ',
    ],
    ['{ "type": "maxPool" }', 5, 'MODEL_SPEC', 'layer 2 (maxPool): needs kernel as well'],
    ['{ "type": "dropout", "p": 1.5 }', 5, 'MODEL_SPEC', 'layer 2 (dropout): p 1.5: must be below 1'],
    [
      '{ "type": "conv", "outChannels": "2", "kernel": 3 }',
      5,
      'MODEL_SPEC',
      'layer 2 (conv): outChannels "2": must be a finite number',
    ],
    ['"relu"', 5, 'MODEL_SPEC', 'layers.1 "relu": must be fields under this name'],
  ])('cases: data 37: names line, layer and field of %s, and what is near', (layer, line, code, text) => {
    const path = write(
      `{\n"name": "my", "classes": 2,\n"input": { "channels": 1, "height": 3, "width": 3 },\n"layers": [{ "type": "flatten" },\n${layer}]}`,
    );
    expect(() => loadModelSpec(path)).toThrow(`LOCKSTEP_${code}: ${path}:${line}: ${text}`);
  });

  it.each([
    [
      '"optimizer": { "type": "sgd", "momentom": 0.5 }',
      'recipe.optimizer.momentom: the optimizer is sgd, which takes momentum, nesterov, weightDecay. Did you mean momentum?',
    ],
    ['"learningrate": 0.5', 'recipe.learningrate: unknown field. Did you mean learningRate?'],
    ['"epochs": 0', 'recipe.epochs 0: must be at least 1'],
    ['"optimizer": { "type": "sdg" }', 'there is no sdg. Did you mean sgd?'],
    ['"schedule": { "type": "step", "gamma": 0.5 }', 'needs recipe.schedule.every as well'],
    ['"augmentation": { "rotations": 5 }', 'recipe.augmentation.rotations: unknown field. Did you mean rotation?'],
  ])('cases: data 37: names line and field of a recipe with %s', (field, text) => {
    const path = write(`${JSON.stringify(model).slice(0, -1)},\n"recipe": {\n${field}}}`);
    expect(() => loadModelSpec(path)).toThrow(`LOCKSTEP_RECIPE: ${path}:3: ${text}`);
  });

  it('cases: data 37: names a field of the model itself that nobody knows', () => {
    const path = write(JSON.stringify({ ...model, clases: 3 }, null, 2));
    const line =
      readFileSync(path, 'utf8')
        .split('\n')
        .findIndex((text) => text.includes('clases')) + 1;
    expect(() => loadModelSpec(path)).toThrow(`${path}:${line}: clases: unknown field. Did you mean classes?`);
  });
});
