import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors, type Tensor } from '../formats/safetensors.js';
import { inferLayers, type Layer } from '../model/layers.js';
import { initialBuffers, initialParameters } from '../run/initial-weights.js';
import { type ModelSpecInput, parseModelSpec } from '../spec/model-spec.js';
import { findZooModel, zooModels } from '../zoo/zoo.js';
import { hashParameters, loadWeights, saveWeights } from './weights.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-weights-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const path = (): string => join(folder, 'w.safetensors');

const infer = (...layers: ModelSpecInput['layers']): Layer[] =>
  inferLayers(parseModelSpec({ name: 'my', input: { channels: 1, height: 2, width: 2 }, classes: 2, layers }));

/** A convolution 1>2 of 2x2, a batch norm over 2 channels, a flatten. */
const small = infer({ type: 'conv', outChannels: 2, kernel: 2 }, { type: 'batchNorm' }, { type: 'flatten' });
const smallWeights = {
  parameters: [
    [1, 2, 3, 4, 5, 6, 7, 8],
    [9, 10],
    [11, 12],
    [13, 14],
  ].map((values) => Float32Array.from(values)),
  buffers: [
    [15, 16],
    [17, 18],
  ].map((values) => Float32Array.from(values)),
};

const readTensors = (): readonly Tensor[] => decodeSafetensors(readFileSync(path()), 'w').tensors;

describe('saveWeights', () => {
  it('writes the state_dict of PyTorch: names, shapes, dtypes, counters of batches', () => {
    saveWeights(path(), small, smallWeights, { steps: 469 });
    expect(readTensors().map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['1.num_batches_tracked', 'I64', []],
      ['0.weight', 'F32', [2, 1, 2, 2]],
      ['0.bias', 'F32', [2]],
      ['1.weight', 'F32', [2]],
      ['1.bias', 'F32', [2]],
      ['1.running_mean', 'F32', [2]],
      ['1.running_var', 'F32', [2]],
    ]);
    expect(Buffer.from(readTensors()[0]?.bytes ?? []).toString('hex')).toBe('d501000000000000');
    expect(Buffer.from(readTensors()[2]?.bytes ?? []).toString('hex')).toBe('0000104100002041');
  });

  it('starts the data at a multiple of 8 bytes and says that its format is that of PyTorch', () => {
    saveWeights(path(), small, smallWeights, { metadata: { model: 'my' } });
    const file = readFileSync(path());
    expect(file.readUInt32LE(0) % 8).toBe(0);
    expect(decodeSafetensors(file, 'w').metadata).toEqual({ format: 'pt', model: 'my' });
  });

  it('replaces a file and leaves no other beside it', () => {
    writeFileSync(path(), 'old');
    saveWeights(path(), small, smallWeights);
    expect(loadWeights(path(), small)).toEqual(smallWeights);
    expect(readdirSync(folder)).toEqual(['w.safetensors']);
  });

  it('says where it could not write', () => {
    const missing = join(folder, 'no', 'w.safetensors');
    expect(() => saveWeights(missing, small, smallWeights)).toThrow(
      `LOCKSTEP_WEIGHTS_WRITE: cannot write weights to ${missing}: ENOENT`,
    );
  });

  it('writes weights that lie in shared memory', () => {
    const shared = new Float32Array(new SharedArrayBuffer(16), 8, 2);
    shared.set([9, 10]);
    const { parameters, buffers } = smallWeights;
    saveWeights(path(), small, {
      parameters: parameters.map((values, index) => (index === 1 ? shared : values)),
      buffers,
    });
    expect(loadWeights(path(), small)).toEqual(smallWeights);
  });
});

describe('loadWeights', () => {
  it.each(zooModels.filter(({ model }) => model.name !== 'cnn11m').map(({ model }) => [model.name, model] as const))(
    'reads every bit of %s that saveWeights wrote',
    (_, model) => {
      const layers = inferLayers(model);
      const weights = { parameters: initialParameters(layers, 5), buffers: initialBuffers(layers) };
      saveWeights(path(), layers, weights);
      expect(hashParameters(layers, loadWeights(path(), layers))).toBe(hashParameters(layers, weights));
    },
  );

  it('keeps -0, infinities and NaN bit by bit', () => {
    const layers = infer({ type: 'flatten' }, { type: 'linear', outFeatures: 2, bias: false });
    const bits = Uint32Array.of(0x80000000, 0x7f800000, 0x7fc12345, 0xff800000, 1, 0x80000001, 0x7f7fffff, 0);
    saveWeights(path(), layers, { parameters: [new Float32Array(bits.buffer)], buffers: [] });
    const [values] = loadWeights(path(), layers).parameters;
    expect(new Uint32Array((values as Float32Array).buffer)).toEqual(bits);
  });

  const rewrite = (change: (tensors: readonly Tensor[]) => Tensor[]): void => {
    saveWeights(path(), small, smallWeights);
    writeFileSync(path(), Buffer.concat(encodeSafetensors({ tensors: change(readTensors()), metadata: {} })));
  };

  it('does without the counters of batches', () => {
    rewrite((tensors) => tensors.filter((tensor) => tensor.dtype === 'F32'));
    expect(loadWeights(path(), small)).toEqual(smallWeights);
  });

  it('reads tensors whatever their order', () => {
    rewrite((tensors) => [...tensors].reverse());
    expect(loadWeights(path(), small)).toEqual(smallWeights);
  });

  it('lists missing, unexpected and different tensors', () => {
    rewrite((tensors) =>
      tensors.map((tensor) => {
        if (tensor.name === '0.bias') return { ...tensor, name: '0.offset' };
        if (tensor.name === '0.weight') return { ...tensor, shape: [2, 4] };
        if (tensor.name === '1.running_var') return { ...tensor, dtype: 'I32' };
        return tensor;
      }),
    );
    const text =
      `${path()} does not fit this model: missing: 0.bias; unexpected: 0.offset; ` +
      'different: 0.weight is F32 [2, 4], expected F32 [2, 1, 2, 2], 1.running_var is I32 [2], expected F32 [2]. ' +
      'Give the model that the weights were saved from.';
    expect(() => loadWeights(path(), small)).toThrow(
      expect.objectContaining({ code: 'LOCKSTEP_WEIGHTS_MISMATCH', text }),
    );
  });

  it('refuses the weights of another network', () => {
    saveWeights(path(), small, smallWeights);
    expect(() => loadWeights(path(), inferLayers(findZooModel('lenet5').model))).toThrow(
      /^LOCKSTEP_WEIGHTS_MISMATCH: .*missing: conv1\.weight, conv1\.bias, .*; unexpected: 1\.num_batches_tracked, 0\.weight, /,
    );
  });

  it('names a file that is missing or damaged', () => {
    const missing = join(folder, 'missing.safetensors');
    expect(() => loadWeights(missing, small)).toThrow(
      `LOCKSTEP_WEIGHTS_READ: cannot read weights from ${missing}: ENOENT`,
    );
    writeFileSync(path(), 'PK');
    expect(() => loadWeights(path(), small)).toThrow(
      `LOCKSTEP_WEIGHTS_FORMAT: ${path()} is not a safetensors file: it has 2 bytes, the header's length alone takes 8.`,
    );
  });
});

describe('hashParameters', () => {
  it("hashes little-endian float32, each layer's parameters before its running mean and variance", () => {
    const layers = infer({ type: 'batchNorm' }, { type: 'flatten' }, { type: 'linear', outFeatures: 2, bias: false });
    const parameters = [[1], [2], [5, 6, 7, 8, 9, 10, 11, 12]].map((values) => Float32Array.from(values));
    const buffers = [[3], [4]].map((values) => Float32Array.from(values));
    const bytes = Buffer.alloc(48);
    for (let value = 1; value <= 12; value++) bytes.writeFloatLE(value, (value - 1) * 4);
    const expected = createHash('sha256').update(bytes).digest('hex');
    expect(hashParameters(layers, { parameters, buffers })).toBe(expected);
  });

  it('sees a single bit', () => {
    const { parameters, buffers } = smallWeights;
    const changed = { parameters, buffers: buffers.with(1, Float32Array.of(17, Math.fround(18.000002))) };
    expect(hashParameters(small, changed)).not.toBe(hashParameters(small, smallWeights));
  });

  it('refuses a vector of the wrong length', () => {
    const { parameters, buffers } = smallWeights;
    expect(() => hashParameters(small, { parameters: parameters.with(0, new Float32Array(3)), buffers })).toThrow(
      '0.weight has 3 values, expected 8',
    );
  });

  // Seed 0; worked out by an independent program in Python from the layers' shapes.
  it.each([
    ['tiny6k', '6e3c55898ca48c8fac135fc213d108679e9585750862bcd16961513ac554d901'],
    ['net19k', '6e207f2ad331983eb5e156c19b0a61f8c20afd309b0bbc5947437cd040f79283'],
    ['gap19k', 'ccabf0978cbe8db47e57685fb6b7b6f98a2f07c548961e06786498ad636dd2f9'],
    ['lenet5', '63c71f4bc96d7bf48f740f913ebe222b09a2b9baed28570d9508467c7f12a4d1'],
    ['mynet', '6aebd63e0c9ca9609d4a7dff7d4ab4e1dd38cede6fcb950a8b7ee851636af0fd'],
  ])('gives the known hash of an untrained %s', (name, hash) => {
    const layers = inferLayers(findZooModel(name).model);
    const weights = { parameters: initialParameters(layers, 0), buffers: initialBuffers(layers) };
    expect(hashParameters(layers, weights)).toBe(hash);
  });
});
