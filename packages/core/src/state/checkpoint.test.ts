import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors } from '../formats/safetensors.js';
import { parseModelSpec } from '../spec/model-spec.js';
import type { RecipeInput } from '../spec/recipe.js';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint.js';
import { makeCheckpoint } from './test-checkpoint.js';

const recipes: [string, RecipeInput][] = [
  ['sgd', { optimizer: { type: 'sgd' } }],
  ['sgd with momentum', { optimizer: { type: 'sgd', momentum: 0.9 } }],
  ['adam', {}],
  ['adamw with a moving average', { optimizer: { type: 'adamw' }, ema: 0.99, freeze: ['conv1'], clipNorm: 1 }],
];

describe('a checkpoint', () => {
  it.each(recipes)('of a run with %s comes back to the last bit', (_, recipe) => {
    const checkpoint = makeCheckpoint(41, recipe);
    expect(decodeCheckpoint(encodeCheckpoint(checkpoint), 'ckpt')).toEqual(checkpoint);
  });

  it('encodes to the same bytes when it is read and written again', () => {
    const first = encodeCheckpoint(makeCheckpoint(7, { ema: 0.9 }));
    expect(encodeCheckpoint(decodeCheckpoint(first, 'ckpt'))).toEqual(first);
  });

  it('names its tensors as PyTorch does', () => {
    const { tensors } = encodeCheckpoint(makeCheckpoint(7, { ema: 0.9, optimizer: { type: 'sgd', momentum: 0.9 } }));
    expect(decodeSafetensors(tensors, 'x').tensors.map(({ name, shape }) => `${name} ${shape.join('x')}`)).toEqual([
      ...['conv1.weight 2x1x3x3', 'conv1.bias 2', '1.weight 2', '1.bias 2', 'fc.weight 3x32', 'fc.bias 3'],
      ...['1.running_mean 2', '1.running_var 2'],
      ...['conv1.weight 2x1x3x3', 'conv1.bias 2', '1.weight 2', '1.bias 2', 'fc.weight 3x32', 'fc.bias 3'].map(
        (text) => `optimizer/momentum_buffer/${text}`,
      ),
      ...['conv1.weight 2x1x3x3', 'conv1.bias 2', '1.weight 2', '1.bias 2', 'fc.weight 3x32', 'fc.bias 3'].map(
        (text) => `ema/${text}`,
      ),
      ...['ema/1.running_mean 2', 'ema/1.running_var 2'],
      'epoch.results 2x2',
    ]);
  });
});

describe('names', () => {
  const average = { ema: 0.9, optimizer: { type: 'adamw' } } as const;

  /** With layers called as the average and a slot of conv1 were, and as each other's statistics. */
  const layers = ['ema.conv1', 'optimizer.exp_avg.conv1', 'ema', 'epoch'];
  const model = parseModelSpec({
    name: 'names',
    input: { channels: 1, height: 6, width: 6 },
    classes: 3,
    layers: [
      { type: 'conv', name: 'conv1', outChannels: 2, kernel: 3 },
      ...layers.map((name) => ({ type: 'conv' as const, name, outChannels: 2, kernel: 1 })),
      { type: 'batchNorm', name: 'ema.conv1.weight' },
      { type: 'flatten' },
      { type: 'linear', name: 'fc', outFeatures: 3 },
    ],
  });

  it('cases: numbers 5: of layers that are called like a prefix do not meet it', () => {
    const checkpoint = makeCheckpoint(7, average, model);
    expect(decodeCheckpoint(encodeCheckpoint(checkpoint), 'ckpt')).toEqual(checkpoint);
  });

  it('of version 1, with dots for slashes, are read', () => {
    const checkpoint = makeCheckpoint(7, average);
    const { info, tensors } = encodeCheckpoint(checkpoint);
    const now = decodeSafetensors(tensors, 'x');
    const old = now.tensors.map((tensor) => ({ ...tensor, name: tensor.name.replaceAll('/', '.') }));
    const bytes = Buffer.concat(encodeSafetensors({ ...now, tensors: old }));
    const hash = (of: Uint8Array | string): string => createHash('sha256').update(of).digest('hex');
    const { sha256: _, ...body } = JSON.parse(Buffer.from(info).toString()) as Record<string, unknown>;
    const { format, version: __, ...rest } = body;
    const fields = { ...rest, tensors: { bytes: bytes.length, sha256: hash(bytes) } };
    const text = JSON.stringify({ format, version: 1, sha256: '0'.repeat(64), ...fields }, null, 2);
    const written = text.replace('0'.repeat(64), hash(text));
    expect(decodeCheckpoint({ info: Buffer.from(written), tensors: bytes }, 'ckpt')).toEqual(checkpoint);
  });
});

describe('damage', () => {
  const whole = encodeCheckpoint(makeCheckpoint(3, { ema: 0.9 }));

  it('of any single bit is found', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.nat(), fc.nat(7), (isInfo, position, bit) => {
        const files = { info: Uint8Array.from(whole.info), tensors: Uint8Array.from(whole.tensors) };
        const bytes = isInfo ? files.info : files.tensors;
        const at = position % bytes.length;
        bytes[at] = (bytes[at] as number) ^ (1 << bit);
        expect(() => decodeCheckpoint(files, 'ckpt')).toThrow('LOCKSTEP_CHECKPOINT_DAMAGED: ckpt cannot be used: ');
      }),
      { numRuns: 300 },
    );
  });

  it('by a cut is found and said', () => {
    const cut = { ...whole, tensors: whole.tensors.subarray(0, 100) };
    expect(() => decodeCheckpoint(cut, 'ckpt')).toThrow(
      `LOCKSTEP_CHECKPOINT_DAMAGED: ckpt cannot be used: its tensors have 100 bytes, expected ${whole.tensors.length}.`,
    );
    expect(() => decodeCheckpoint({ ...whole, info: whole.info.subarray(0, 50) }, 'ckpt')).toThrow(
      'checkpoint.json does not have the SHA-256 that it names',
    );
    expect(() => decodeCheckpoint({ ...whole, info: new Uint8Array() }, 'ckpt')).toThrow('LOCKSTEP_CHECKPOINT_DAMAGED');
  });

  it('by tensors of another checkpoint is found', () => {
    const other = encodeCheckpoint(makeCheckpoint(4, { ema: 0.9 }));
    expect(() => decodeCheckpoint({ ...whole, tensors: other.tensors }, 'ckpt')).toThrow('its tensors have SHA-256');
  });
});
