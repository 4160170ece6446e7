import { describe, expect, it } from 'vitest';
import { parseModelSpec } from './model-spec.js';

const spec = (...layers: unknown[]): unknown => ({
  name: 'my',
  input: { channels: 1, height: 28, width: 28 },
  classes: 10,
  layers,
});

describe('parseModelSpec', () => {
  it('fills in the defaults of PyTorch', () => {
    const { layers } = parseModelSpec(
      spec({ type: 'conv', outChannels: 8, kernel: 3 }, { type: 'linear', outFeatures: 10 }),
    );
    expect(layers).toEqual([
      { type: 'conv', outChannels: 8, kernel: 3, stride: 1, padding: 0, groups: 1, bias: true },
      { type: 'linear', outFeatures: 10, bias: true },
    ]);
  });

  const cases: [string, unknown, string][] = [
    [
      'a field of the wrong type, counting layers from 1',
      spec({ type: 'relu' }, { type: 'conv', outChannels: 8, kernel: 'three' }),
      'my.json: layer 2 (conv): kernel: Invalid input: expected number, received string',
    ],
    [
      'a missing field',
      spec({ type: 'dropout' }),
      'my.json: layer 1 (dropout): p: Invalid input: expected number, received undefined',
    ],
    [
      'a kernel of 0',
      spec({ type: 'maxPool', kernel: 0 }),
      'my.json: layer 1 (maxPool): kernel: Too small: expected number to be >=1',
    ],
    [
      'dropout of everything',
      spec({ type: 'dropout', p: 1 }),
      'my.json: layer 1 (dropout): p: Too big: expected number to be <1',
    ],
    ['an unknown field', spec({ type: 'relu', slope: 0.1 }), 'my.json: layer 1 (relu): Unrecognized key: "slope"'],
    [
      'a layer name that PyTorch could not load',
      spec({ type: 'relu', name: 'a..b' }),
      'my.json: layer 1 (relu): name: letters, digits, _ and single dots',
    ],
    [
      'a field of the model itself',
      { ...(spec({ type: 'relu' }) as object), classes: 1 },
      'my.json: classes: Too small: expected number to be >=2',
    ],
    [
      'a model name with a space',
      { ...(spec({ type: 'relu' }) as object), name: 'my net' },
      'my.json: name: 1 to 64 letters, digits, - and _',
    ],
    ['a model without layers', spec(), 'my.json: layers: Too small: expected array to have >=1 items'],
  ];
  it.each(cases)('refuses %s', (_, value, text) => {
    expect(() => parseModelSpec(value, 'my.json')).toThrow(
      expect.objectContaining({ code: 'LOCKSTEP_MODEL_SPEC', text }),
    );
  });

  it('names the layer and its field when the type of a layer is unknown', () => {
    expect(() => parseModelSpec(spec({ type: 'relu' }, { type: 'conv3d' }))).toThrow(
      /^LOCKSTEP_MODEL_SPEC: model: layer 2 \(conv3d\): type: /,
    );
  });
});
