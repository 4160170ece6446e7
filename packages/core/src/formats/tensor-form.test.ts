import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inferLayers } from '../model/layers.js';
import { initialBuffers, initialParameters } from '../run/initial-weights.js';
import { smallModel } from '../state/test-checkpoint.js';
import { matchWeights, replaceHead } from '../state/transfer.js';
import { loadWeights, saveWeights } from '../state/weights.js';
import { decodeSafetensors, encodeSafetensors, type Tensor } from './safetensors.js';
import { adoptTensors } from './tensor-form.js';

const layers = inferLayers(smallModel);
const state = { parameters: initialParameters(layers, 3), buffers: initialBuffers(layers) };
let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-form-'));
  path = join(folder, 'w.safetensors');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** The small model's weights, each tensor changed. */
function write(change: (tensor: Tensor) => Tensor): void {
  saveWeights(path, layers, state);
  const { tensors } = decodeSafetensors(readFileSync(path), path);
  writeFileSync(path, Buffer.concat(encodeSafetensors({ tensors: tensors.map(change), metadata: {} })));
}

const prefixed =
  (prefix: string) =>
  (tensor: Tensor): Tensor => ({ ...tensor, name: prefix + tensor.name });

/** Every float tensor as another type, by a function from its value to bytes. */
const converted =
  (dtype: string, bytes: number, put: (view: DataView, at: number, value: number) => void) =>
  (tensor: Tensor): Tensor => {
    if (tensor.dtype !== 'F32') return tensor;
    const from = new DataView(tensor.bytes.buffer, tensor.bytes.byteOffset, tensor.bytes.byteLength);
    const view = new DataView(new ArrayBuffer((tensor.bytes.length / 4) * bytes));
    for (let i = 0; i < tensor.bytes.length / 4; i++) put(view, i * bytes, from.getFloat32(4 * i, true));
    return { ...tensor, dtype, bytes: new Uint8Array(view.buffer) };
  };

const load = (): { readonly told: string[]; readonly weights: ReturnType<typeof loadWeights> } => {
  const told: string[] = [];
  return { weights: loadWeights(path, layers, (text) => told.push(text)), told };
};

describe('weights of other programs', () => {
  it.each(['module.', '_orig_mod.', 'model.', 'module._orig_mod.', '_orig_mod.module.'])(
    'cases: data 34: are read without the prefix %s, which is told',
    (prefix) => {
      write(prefixed(prefix));
      const { weights, told } = load();
      expect(weights).toEqual(state);
      expect(told).toEqual([`${path}: the prefix ${prefix} was taken off its names`]);
    },
  );

  it('keep a prefix that is part of the model', () => {
    const named = {
      ...smallModel,
      layers: smallModel.layers.map((l) => (l.name ? { ...l, name: `model.${l.name}` } : l)),
    };
    saveWeights(path, inferLayers(named), state);
    expect(loadWeights(path, inferLayers(named))).toEqual(state);
  });

  it('cases: data 34: are widened from BF16 and rounded from F64, which is told', () => {
    write(
      converted('BF16', 2, (view, at, value) => {
        const word = new DataView(new ArrayBuffer(4));
        word.setFloat32(0, value);
        view.setUint16(at, word.getUint16(0), true);
      }),
    );
    const brain = load();
    expect(brain.told).toEqual([`${path}: 8 tensors of BF16 widened to float32`]);
    brain.weights.parameters.forEach((values, i) => {
      values.forEach((value, k) => {
        const own = state.parameters[i]?.[k] as number;
        expect(Math.abs(value - own)).toBeLessThanOrEqual(Math.abs(own) / 128);
      });
    });
    write(converted('F64', 8, (view, at, value) => view.setFloat64(at, value, true)));
    const double = load();
    expect(double.weights).toEqual(state);
    expect(double.told).toEqual([`${path}: 8 tensors of F64 rounded to float32`]);
  });

  it('cases: data 34: are matched by name with frozen layers, in halves and under a prefix', () => {
    const half = converted('F16', 2, (view, at) => view.setUint16(at, 0x3555, true));
    write((tensor) => prefixed('module.')(half(tensor)));
    const matched = matchWeights(path, layers, state, false);
    expect(matched.fresh).toEqual([]);
    expect(matched.state.parameters.every((values) => values.every((value) => value === 0.333251953125))).toBe(true);
  });

  it('say of whole numbers what they are', () => {
    write(converted('I32', 4, (view, at) => view.setInt32(at, 1, true)));
    expect(() => matchWeights(path, layers, state, false)).toThrow('conv1.weight I32 [2, 1, 3, 3]');
  });

  it('cases: data 35: of another number of classes name --replace-head', () => {
    saveWeights(path, inferLayers(replaceHead(smallModel, 10)), {
      parameters: initialParameters(inferLayers(replaceHead(smallModel, 10)), 1),
      buffers: initialBuffers(layers),
    });
    expect(() => loadWeights(path, layers)).toThrow(
      `LOCKSTEP_WEIGHTS_MISMATCH: ${path} has weights for 10 classes, the model here has 3: fc.weight is F32 [10, 32], expected F32 [3, 32], ` +
        'fc.bias is F32 [10], expected F32 [3]. To train a new last layer on the other weights, give train --replace-head 3.',
    );
  });
});

describe('halves', () => {
  const read = (dtype: string, bits: number): number => {
    const bytes = new Uint8Array(2);
    new DataView(bytes.buffer).setUint16(0, bits, true);
    const [tensor] = adoptTensors([{ name: 'x', dtype, shape: [1], bytes }], new Set(), 'w', () => {});
    return new DataView(Uint8Array.from(tensor?.bytes ?? []).buffer).getFloat32(0, true);
  };

  it.each([
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0400, 2 ** -14],
    [0x0001, 2 ** -24],
    [0x83ff, -1023 * 2 ** -24],
    [0x8000, -0],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0x7e00, Number.NaN],
  ])('F16 0x%s is %s', (bits, value) => {
    expect(read('F16', bits)).toBe(value);
  });

  it('of F16 grow with their bits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7bff }), (bits) => {
        expect(read('F16', bits)).toBeLessThan(read('F16', bits + 1));
      }),
    );
  });

  it('of BF16 are the upper half of a float32', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff }), (bits) => {
        const expected = new Float32Array(Uint32Array.of(bits << 16).buffer)[0];
        expect(read('BF16', bits)).toBe(expected);
      }),
    );
  });
});
