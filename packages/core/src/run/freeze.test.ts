import { describe, expect, it } from 'vitest';
import { inferLayers } from '../model/layers.js';
import { parseModelSpec } from '../spec/model-spec.js';
import { findZooModel } from '../zoo/zoo.js';
import { planFreeze } from './freeze.js';

const layers = inferLayers(
  parseModelSpec({
    name: 'named',
    input: { channels: 1, height: 8, width: 8 },
    classes: 3,
    layers: [
      { type: 'conv', name: 'stem.conv', outChannels: 4, kernel: 3 },
      { type: 'batchNorm', name: 'stem.norm' },
      { type: 'relu' },
      { type: 'flatten' },
      { type: 'linear', name: 'head', outFeatures: 3 },
    ],
  }),
);

describe('planFreeze', () => {
  it.each<[string[], string[]]>([
    [[], []],
    [['head'], ['head.weight', 'head.bias']],
    [['stem.conv.weight'], ['stem.conv.weight']],
    [['stem.*'], ['stem.conv.weight', 'stem.conv.bias', 'stem.norm.weight', 'stem.norm.bias']],
    [['*.bias'], ['stem.conv.bias', 'stem.norm.bias', 'head.bias']],
    [
      ['stem.norm', 'head.bias'],
      ['stem.norm.weight', 'stem.norm.bias', 'head.bias'],
    ],
    [['features.*'], ['stem.conv.weight', 'stem.conv.bias', 'stem.norm.weight', 'stem.norm.bias']],
  ])('%j freezes %j', (patterns, expected) => {
    expect([...planFreeze(layers, patterns).names]).toEqual(expected);
  });

  it('calls a layer frozen when all of its parameters are', () => {
    const frozen = (patterns: string[]) => layers.filter(planFreeze(layers, patterns).isLayerFrozen).map((l) => l.name);
    expect(frozen(['stem.*'])).toEqual(['stem.conv', 'stem.norm']);
    expect(frozen(['*.bias'])).toEqual([]);
  });

  it('takes features.* for all before the dense layers, or before a head that is a convolution', () => {
    const trainedOf = (name: string): string[] => {
      const zoo = inferLayers(findZooModel(name).model);
      const { names } = planFreeze(zoo, ['features.*']);
      return zoo.flatMap((layer) => layer.parameters).flatMap((p) => (names.has(p.name) ? [] : [p.name]));
    };
    expect(trainedOf('lenet5').map((name) => name.split('.')[0])).toEqual(['fc1', 'fc1', 'fc2', 'fc2', 'fc3', 'fc3']);
    expect(trainedOf('tiny6k')).toHaveLength(1);
  });

  it('names the layers when a pattern matches nothing', () => {
    expect(() => planFreeze(layers, ['stem.conf'])).toThrow(
      'LOCKSTEP_FREEZE_PATTERN: --freeze stem.conf matches no parameter. Did you mean stem.conv? ' +
        'The layers with parameters are stem.conv, stem.norm, head; features.* stands for all before the dense layers.',
    );
  });

  it('does not take a dot for any character', () => {
    expect(() => planFreeze(layers, ['stem?conv'])).toThrow('LOCKSTEP_FREEZE_PATTERN');
    expect(() => planFreeze(layers, ['stemxconv'])).toThrow('LOCKSTEP_FREEZE_PATTERN');
  });

  it('rejects a recipe with nothing left to train', () => {
    expect(() => planFreeze(layers, ['*'])).toThrow(
      'LOCKSTEP_FREEZE_ALL: --freeze * freezes all 6 parameters, so there is nothing to train. Freeze fewer.',
    );
  });
});
