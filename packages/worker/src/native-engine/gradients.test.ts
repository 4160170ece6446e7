/** Models whose gradients were wrong once: a reader behind a flatten, a wave stage of more than dense layers. */
import { type ModelSpec, parseModelSpec } from '@lockstep/core/spec';
import { availableIsas } from '@lockstep/kernels';
import { describe, expect, it } from 'vitest';
import { describeErrors } from './test-comparison.js';
import { judge } from './test-noise.js';

const model = (side: number, classes: number, layers: unknown[]): ModelSpec =>
  parseModelSpec({ name: 'case', input: { channels: 1, height: side, width: side }, classes, layers });

const flatten = { type: 'flatten' };
const relu = { type: 'relu' };
const batchNorm = { type: 'batchNorm' };
const conv = (outChannels: number, kernel: number, more: object = {}): object => ({
  type: 'conv',
  outChannels,
  kernel,
  ...more,
});
const linear = (outFeatures: number): object => ({ type: 'linear', outFeatures });

describe('gradients are those of float64, with the same bits on every build', () => {
  const expectRight = (spec: ModelSpec, sampleCount: number): void =>
    expect(
      describeErrors(
        judge({ model: spec, draw: { seed: 1, sampleCount }, shardSize: 16, isas: availableIsas() }).wrong,
      ),
    ).toBe('');

  it.each([
    ['of kernel 5 and stride 2', conv(8, 5, { stride: 2 })],
    ['of kernel 5', conv(2, 5)],
    ['of kernel 1', conv(2, 1)],
    ['of kernel 3 and stride 2', conv(4, 3, { stride: 2 })],
  ])('cases: numbers 1: below a convolution %s, relu, flatten, batch norm', (_, first) =>
    expectRight(model(14, 10, [first, relu, flatten, batchNorm, linear(10)]), 24),
  );

  it('cases: numbers 2: of a batch norm over features, behind flatten and relu', () =>
    expectRight(model(14, 10, [conv(4, 5, { stride: 4 }), flatten, relu, batchNorm, linear(10)]), 24));

  it.each([
    ['padded', conv(10, 3, { padding: 1 })],
    ['padded and without bias', conv(10, 3, { padding: 1, bias: false })],
    ['grouped', conv(10, 1, { groups: 2 })],
  ])('cases: numbers 3: of a %s convolution behind a large one that covers the image', (_, second) =>
    expectRight(model(16, 10, [conv(64, 16), relu, second, flatten]), 48),
  );

  it.each([
    ['', []],
    ['dropout, ', [{ type: 'dropout', p: 0.5 }]],
  ])('cases: numbers 4: below a batch norm, %smax pool of kernel 1 in the wave stage', (_, between) => {
    const pool = { type: 'maxPool', kernel: 1 };
    const layers = [conv(460, 6, { bias: false }), batchNorm, ...between, pool, relu, flatten, linear(5)];
    expectRight(model(6, 5, layers), 48);
  });
});
