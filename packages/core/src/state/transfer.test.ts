import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inferLayers } from '../model/layers.js';
import { initialBuffers, initialParameters } from '../run/initial-weights.js';
import type { ModelSpec } from '../spec/model-spec.js';
import { findZooModel, zooModels } from '../zoo/zoo.js';
import { smallModel } from './test-checkpoint.js';
import { matchWeights, replaceHead } from './transfer.js';
import { saveWeights } from './weights.js';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-transfer-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const initialState = (model: ModelSpec, seed: number) => ({
  parameters: initialParameters(inferLayers(model), seed),
  buffers: initialBuffers(inferLayers(model)),
});

describe('replaceHead', () => {
  it.each(zooModels.map(({ model }) => [model.name, model] as const))(
    'gives %s another number of classes',
    (_, model) => {
      const replaced = replaceHead(model, 5);
      expect(replaced.classes).toBe(5);
      const changed = replaced.layers.flatMap((layer, index) =>
        JSON.stringify(layer) === JSON.stringify(model.layers[index]) ? [] : [layer],
      );
      expect(changed).toHaveLength(1);
    },
  );

  it('refuses a model whose last layer with weights does not give the classes', () => {
    const layers = [
      { type: 'conv', outChannels: 1, kernel: 1, stride: 1, padding: 0, groups: 1, bias: false },
      { type: 'flatten' },
    ];
    const model = { name: 'wide', input: { channels: 1, height: 2, width: 2 }, classes: 4, layers } as ModelSpec;
    expect(() => replaceHead(model, 5)).toThrow(
      'LOCKSTEP_HEAD: wide has no head that can be replaced: its last layer with weights gives 1 value, not one per class (4). ' +
        'Write the model with 5 classes as a .json file instead.',
    );
  });
});

describe('matchWeights', () => {
  it('takes what fits by name and shape, and says what it did', () => {
    const path = join(folder, 'w.safetensors');
    const old = initialState(smallModel, 1);
    saveWeights(path, inferLayers(smallModel), old);
    const model = replaceHead(smallModel, 4);
    const fresh = initialState(model, 2);
    const matched = matchWeights(path, inferLayers(model), fresh, true);
    expect(matched.loaded).toEqual([
      'conv1.weight',
      'conv1.bias',
      '1.weight',
      '1.bias',
      '1.running_mean',
      '1.running_var',
    ]);
    expect(matched.fresh).toEqual(['fc.weight', 'fc.bias']);
    expect(matched.skipped).toEqual(['fc.weight [3, 32], of the replaced head', 'fc.bias [3], of the replaced head']);
    expect(matched.state.parameters[0]).toEqual(old.parameters[0]);
    expect(matched.state.parameters[4]).toEqual(fresh.parameters[4]);
  });

  it('says what has another shape, and what the model does not know', () => {
    const path = join(folder, 'w.safetensors');
    const other = replaceHead(smallModel, 7);
    const renamed = { ...other, layers: other.layers.map((l) => (l.name === 'conv1' ? { ...l, name: 'stem' } : l)) };
    saveWeights(path, inferLayers(renamed), initialState(renamed, 1));
    const { skipped, fresh } = matchWeights(path, inferLayers(smallModel), initialState(smallModel, 2), false);
    expect(skipped).toEqual([
      'stem.weight [2, 1, 3, 3], unknown to the model',
      'stem.bias [2], unknown to the model',
      'fc.weight [7, 32], the model has [3, 32]',
      'fc.bias [7], the model has [3]',
    ]);
    expect(fresh).toEqual(['conv1.weight', 'conv1.bias', 'fc.weight', 'fc.bias']);
  });

  it('refuses a file in which nothing fits', () => {
    const path = join(folder, 'w.safetensors');
    const { model } = findZooModel('lenet5');
    saveWeights(path, inferLayers(model), initialState(model, 1));
    expect(() => matchWeights(path, inferLayers(smallModel), initialState(smallModel, 2), false)).toThrow(
      /^LOCKSTEP_WEIGHTS_MISMATCH: .* has no tensor that fits this model/,
    );
  });
});
