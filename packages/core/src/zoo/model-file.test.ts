import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
    const text = `${path}: layer 1 (conv): kernel: Invalid input: expected number, received undefined`;
    refused(() => loadModelSpec(path), 'LOCKSTEP_MODEL_SPEC', text);
  });

  it('refuses a model whose layers do not fit together', () => {
    const path = write(JSON.stringify({ ...model, layers: [{ type: 'conv', outChannels: 2, kernel: 5 }] }));
    const text = 'my: layer 1 (conv): kernel 5 does not fit its 3x3 input';
    refused(() => loadModelSpec(path), 'LOCKSTEP_MODEL_SHAPE', text);
  });

  it('names the field of a wrong recipe', () => {
    const path = write(JSON.stringify({ ...model, recipe: { shardSize: 24 } }));
    const text = `${path}: recipe.shardSize: Invalid number: must be a multiple of 16`;
    refused(() => loadModelSpec(path), 'LOCKSTEP_RECIPE', text);
  });
});
