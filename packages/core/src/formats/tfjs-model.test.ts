import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assumeData } from '../data/pixels/data-notes.js';
import { inferLayers } from '../model/layers.js';
import type { ModelState } from '../run/contribution.js';
import { initialBuffers, initialParameters } from '../run/initial-weights.js';
import { type ModelSpec, parseModelSpec } from '../spec/model-spec.js';
import { hashParameters, loadWeights } from '../state/weights.js';
import { zooModels } from '../zoo/zoo.js';
import { readTfjsFile } from './tfjs-file.js';
import { encodeTfjsModel, type TfjsLayer } from './tfjs-model.js';
import { encodeFloats } from './weight-bytes.js';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-tfjs-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function randomState(model: ModelSpec, seed: number): ModelState {
  const layers = inferLayers(model);
  const shift = (values: Float32Array, i: number) => values.map((value, k) => value + ((k * 7 + i) % 11) / 16);
  return { parameters: initialParameters(layers, seed).map(shift), buffers: initialBuffers(layers).map(shift) };
}

/** Writes an export, without Lockstep's notes if asked; returns the path of its model.json. */
function write(model: ModelSpec, state: ModelState, withNotes = true): string {
  const { modelJson, weights } = encodeTfjsModel(model, state, assumeData(model));
  const json = withNotes ? modelJson : { ...modelJson, userDefinedMetadata: {} };
  writeFileSync(join(folder, 'model.json'), JSON.stringify(json));
  writeFileSync(join(folder, 'weights.bin'), encodeFloats(weights));
  return join(folder, 'model.json');
}

const spec = (layers: unknown[], classes = 6): ModelSpec =>
  parseModelSpec({ name: 'small', input: { channels: 4, height: 9, width: 7 }, classes, layers });

const grouped = spec([
  { type: 'conv', outChannels: 6, kernel: 3, groups: 2, padding: 1 },
  { type: 'batchNorm' },
  { type: 'conv', outChannels: 12, kernel: 2, groups: 6, stride: 2 },
  { type: 'globalAvgPool' },
  { type: 'conv', outChannels: 6, kernel: 1 },
]);

describe('an export that is read back', () => {
  it.each([...zooModels.map(({ model }) => model), grouped].map((model) => [model.name, model] as const))(
    '%s: the same bits under the same names',
    (_, model) => {
      const state = randomState(model, 3);
      const read = loadWeights(write(model, state), inferLayers(model));
      expect(hashParameters(inferLayers(model), read)).toBe(hashParameters(inferLayers(model), state));
    },
  );

  it('cases: numbers 5: has a name for each layer, also where layers are called as what is put between them', () => {
    const model = spec([
      { type: 'conv', name: 'a', outChannels: 6, kernel: 2, padding: 1 },
      { type: 'batchNorm', name: 'lockstep_pixels' },
      { type: 'conv', name: 'a_pad', outChannels: 6, kernel: 1 },
      { type: 'globalAvgPool', name: 'a_image' },
      { type: 'conv', name: '7', outChannels: 6, kernel: 1 },
      { type: 'batchNorm', name: 'fc_flat' },
      { type: 'linear', name: 'fc', outFeatures: 6 },
      { type: 'relu', name: 'lockstep_pixels_logits' },
    ]);
    const state = randomState(model, 4);
    const { modelJson } = encodeTfjsModel(model, state, assumeData(model));
    const names = modelJson.modelTopology.config.layers.map(({ config }) => config['name']);
    expect(new Set(names).size).toBe(names.length);
    expect(loadWeights(write(model, state), inferLayers(model))).toEqual(state);
    expect(readTfjsFile(write(model, state, false)).tensors).toHaveLength(16);
  });

  it('of before, with its first layer called lockstep_pixels, is read', () => {
    const state = randomState(grouped, 4);
    const path = write(grouped, state);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('lockstep-pixels', 'lockstep_pixels'));
    expect(loadWeights(path, inferLayers(grouped))).toEqual(state);
  });

  it('carries its model and its normalization', () => {
    const { metadata } = readTfjsFile(write(grouped, randomState(grouped, 1)));
    expect(JSON.parse(metadata['lockstep.model'] as string)).toEqual(grouped);
    expect(JSON.parse(metadata['lockstep.data'] as string)).toEqual(assumeData(grouped));
  });

  it('is the same model even without what Lockstep noted, where layers have names and no groups', () => {
    for (const { model } of zooModels.filter((entry) => /lenet|mynet/.test(entry.model.name))) {
      const { metadata, tensors } = readTfjsFile(write(model, randomState(model, 2), false));
      const read = parseModelSpec(JSON.parse(metadata['lockstep.model'] as string));
      expect(inferLayers(read).map((layer) => layer.output)).toEqual(inferLayers(model).map((layer) => layer.output));
      expect(tensors.map(({ name }) => name)).toEqual(
        inferLayers(model).flatMap((layer) => layer.parameters.map(({ name }) => name)),
      );
    }
  });

  it('has the notation that tfjs wants: one normalizing layer, then the network, float32 in one file', () => {
    const { modelJson, weights } = encodeTfjsModel(grouped, randomState(grouped, 1), assumeData(grouped));
    expect(modelJson.modelTopology.config.layers.map((layer) => layer.class_name)).toEqual([
      'BatchNormalization',
      'Conv2D',
      'BatchNormalization',
      'DepthwiseConv2D',
      'GlobalAveragePooling2D',
      'Reshape',
      'Conv2D',
      'Flatten',
    ]);
    const floats = modelJson.weightsManifest[0].weights.reduce(
      (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
      0,
    );
    expect(floats).toBe(weights.length);
  });
});

/** A LayersModel as Keras writes it: weights count up from 0 in the order of the manifest. */
function writeKeras(layers: TfjsLayer[], shapes: Record<string, number[]>, more: object = {}): string {
  const weights = Object.entries(shapes).map(([name, shape]) => ({ name, shape, dtype: 'float32' }));
  const count = weights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const topology = { class_name: 'Sequential', config: { name: 'sequential_1', layers } };
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'model.json'),
    JSON.stringify({
      modelTopology: { model_config: topology },
      weightsManifest: [{ paths: ['w.bin'], weights }],
      ...more,
    }),
  );
  writeFileSync(join(folder, 'w.bin'), encodeFloats(Float32Array.from({ length: count }, (_, i) => i)));
  return join(folder, 'model.json');
}

const layer = (class_name: string, config: object = {}): TfjsLayer => ({ class_name, config: { ...config } });
const input = { batch_input_shape: [null, 2, 3, 2] };

describe('a model of somebody else', () => {
  it('has its dense rows reordered: Keras flattens row by row, PyTorch channel by channel', () => {
    const path = writeKeras(
      [layer('Flatten', { name: 'f', ...input }), layer('Dense', { name: 'd', units: 2, activation: 'softmax' })],
      {
        'd/kernel': [12, 2],
        'd/bias': [2],
      },
    );
    const { tensors } = readTfjsFile(path);
    const weight = tensors.find(({ name }) => name === 'd.weight');
    const values = new Float32Array(Uint8Array.from(weight?.bytes ?? []).buffer);
    expect(weight?.shape).toEqual([2, 12]);
    // row r of the kernel holds [2r, 2r + 1]; channel 0 is rows 0, 2, ..., channel 1 is rows 1, 3, ...
    expect([...values]).toEqual([0, 4, 8, 12, 16, 20, 2, 6, 10, 14, 18, 22, 1, 5, 9, 13, 17, 21, 3, 7, 11, 15, 19, 23]);
  });

  it('has activations of its layers as layers, and another epsilon in the variance', () => {
    const path = writeKeras(
      [
        layer('Conv2D', {
          name: 'c',
          filters: 2,
          kernel_size: [1, 1],
          strides: [1, 1],
          activation: 'relu',
          use_bias: false,
          ...input,
        }),
        layer('BatchNormalization', { name: 'b', axis: 3, epsilon: 1e-3, scale: false }),
        layer('GlobalAveragePooling2D', { name: 'g' }),
      ],
      { 'c/kernel': [1, 1, 2, 2], 'b/beta': [2], 'b/moving_mean': [2], 'b/moving_variance': [2] },
    );
    const { metadata, tensors } = readTfjsFile(path);
    const { layers } = JSON.parse(metadata['lockstep.model'] as string) as ModelSpec;
    expect(layers.map(({ type }) => type)).toEqual(['conv', 'relu', 'batchNorm', 'globalAvgPool']);
    const read = (name: string) => [
      ...new Float32Array(Uint8Array.from(tensors.find((t) => t.name === name)?.bytes ?? []).buffer),
    ];
    expect(read('b.weight')).toEqual([1, 1]);
    expect(read('b.running_var')).toEqual([8 + 1e-3 - 1e-5, 9 + 1e-3 - 1e-5].map(Math.fround));
  });

  it.each<[string, TfjsLayer[], Record<string, number[]>, string, string]>([
    [
      'a layer that is not ours',
      [layer('LSTM', { name: 'l', ...input })],
      {},
      'LOCKSTEP_TFJS_LAYER',
      'the layer l (LSTM) cannot be read: Lockstep has no such layer.',
    ],
    [
      'uneven padding',
      [layer('Conv2D', { name: 'c', filters: 2, kernel_size: [3, 3], strides: [2, 2], padding: 'same', ...input })],
      {},
      'LOCKSTEP_TFJS_LAYER',
      'padding "same" with kernel 3 and stride 2 is uneven.',
    ],
    [
      'an activation',
      [layer('Activation', { name: 'a', activation: 'tanh', ...input })],
      {},
      'LOCKSTEP_TFJS_LAYER',
      'its activation is tanh; relu can be read, and softmax at the end.',
    ],
    [
      'a window that is not square',
      [layer('MaxPooling2D', { name: 'p', pool_size: [2, 1], strides: [2, 2], ...input })],
      {},
      'LOCKSTEP_TFJS_LAYER',
      'its pool_size 2x1 is not square.',
    ],
    [
      'a dense layer over an image',
      [layer('Dense', { name: 'd', units: 2, ...input })],
      {},
      'LOCKSTEP_TFJS_LAYER',
      'its input is an image; put a Flatten before it.',
    ],
    [
      'no input shape',
      [layer('Flatten', { name: 'f' })],
      {},
      'LOCKSTEP_TFJS_FORMAT',
      'does not say the shape of its input (batch_input_shape).',
    ],
    [
      'a missing weight',
      [layer('Flatten', { name: 'f', ...input }), layer('Dense', { name: 'd', units: 2 })],
      {},
      'LOCKSTEP_TFJS_FORMAT',
      'has no weight d/kernel.',
    ],
    [
      'a weight of another shape',
      [layer('Flatten', { name: 'f', ...input }), layer('Dense', { name: 'd', units: 2 })],
      { 'd/kernel': [3, 2] },
      'LOCKSTEP_TFJS_FORMAT',
      'has d/kernel as [3, 2], expected [12, 2].',
    ],
  ])('is refused for %s', (_, layers, shapes, code, text) => {
    const path = writeKeras(layers, shapes);
    expect(() => readTfjsFile(path)).toThrow(expect.objectContaining({ code, text: expect.stringContaining(text) }));
  });

  it('is refused when its weights are cut short, quantized, or it is no model at all', () => {
    const flat = [layer('Flatten', { name: 'f', ...input })];
    const path = writeKeras(flat, { w: [4] });
    writeFileSync(join(folder, 'w.bin'), new Uint8Array(15));
    expect(() => readTfjsFile(path)).toThrow('w.bin have 15 bytes, its weights need 16. Copy the files again.');
    writeKeras(
      flat,
      {},
      { weightsManifest: [{ paths: ['w.bin'], weights: [{ name: 'w', shape: [4], dtype: 'uint8' }] }] },
    );
    expect(() => readTfjsFile(path)).toThrow('has w as uint8 values, only float32 can be read.');
    writeFileSync(path, '{"format": "graph-model"}');
    expect(() => readTfjsFile(path)).toThrow(/LOCKSTEP_TFJS_FORMAT: .* is not a LayersModel of TensorFlow.js: /);
    expect(() => readTfjsFile(join(folder, 'none.json'))).toThrow(/LOCKSTEP_WEIGHTS_READ/);
  });

  describe('cases: peers 18: names weights', () => {
    const flat = [layer('Flatten', { name: 'f', ...input })];
    const manifestOf = (...paths: string[]) => ({
      weightsManifest: paths.map((name) => ({ paths: [name], weights: [{ name: 'w', shape: [4], dtype: 'float32' }] })),
    });

    it.each([
      [
        'beside its folder',
        '../outside.bin',
        'it names weights outside its folder: ../outside.bin. Put them beside it.',
      ],
      ['by a whole path', '/dev/zero', 'it names weights outside its folder: /dev/zero. Put them beside it.'],
      ['by a link that leads out', 'link.bin', 'it names weights outside its folder: link.bin. Put them beside it.'],
      ['that are a folder', 'sub', 'sub, which it names, is no file. Copy the files again.'],
    ])('%s: these are not read', (_, name, text) => {
      const path = writeKeras(flat, { w: [4] }, manifestOf(name));
      const outside = `${folder}-outside.bin`;
      mkdirSync(join(folder, 'sub'));
      writeFileSync(outside, new Uint8Array(16));
      symlinkSync(outside, join(folder, 'link.bin'));
      try {
        expect(() => readTfjsFile(path)).toThrow(
          expect.objectContaining({ code: 'LOCKSTEP_TFJS_FORMAT', text: `${path}: ${text}` }),
        );
      } finally {
        rmSync(outside);
      }
    });

    it('again and again: these are not read as often', () => {
      const path = writeKeras(flat, { w: [4] }, manifestOf('w.bin', './w.bin'));
      expect(() => readTfjsFile(path)).toThrow('it names ./w.bin twice. Copy the files again.');
    });

    it('of another size than they have: a file is not read for that', () => {
      const path = writeKeras(flat, { w: [4] });
      truncateSync(join(folder, 'w.bin'), 2 ** 33);
      expect(() => readTfjsFile(path)).toThrow(
        'w.bin have 8589934592 bytes, its weights need 16. Copy the files again.',
      );
    });

    it('in a folder below, and by links of a cache that keeps all files in one place: these are read', () => {
      const path = writeKeras(flat, { 'below/w.bin': [4] }, manifestOf('below/w.bin'));
      const [blobs, snapshot] = [join(folder, 'blobs'), join(folder, 'snapshot')];
      for (const one of [join(folder, 'below'), blobs, join(snapshot, 'below')]) mkdirSync(one, { recursive: true });
      renameSync(join(folder, 'w.bin'), join(folder, 'below', 'w.bin'));
      const { tensors } = readTfjsFile(path);
      renameSync(path, join(blobs, '1'));
      renameSync(join(folder, 'below', 'w.bin'), join(blobs, '2'));
      symlinkSync(join('..', 'blobs', '1'), join(snapshot, 'model.json'));
      symlinkSync(join('..', '..', 'blobs', '2'), join(snapshot, 'below', 'w.bin'));
      expect(readTfjsFile(join(snapshot, 'model.json')).tensors).toEqual(tensors);
    });
  });

  it('never gets through with anything but a LockstepError', () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(value, value, (topology, manifest) => {
        writeFileSync(
          join(folder, 'model.json'),
          JSON.stringify({ modelTopology: topology, weightsManifest: manifest }),
        );
        expect(() => readTfjsFile(join(folder, 'model.json'))).toThrow(
          expect.objectContaining({ name: 'LockstepError' }),
        );
      }),
    );
  });
});
