import { describe, expect, it } from 'vitest';
import { inferLayers, modelParameters } from '../model/layers.js';
import { findZooModel, zooModels } from '../zoo/zoo.js';
import { initialBuffers, initialParameters } from './initial-weights.js';

const layersOf = (name: string) => inferLayers(findZooModel(name).model);

/** Bits of float32 values, as hexadecimal. */
const bits = (values: Float32Array): string[] =>
  [...values].map((value) => {
    const view = new DataView(new ArrayBuffer(4));
    view.setFloat32(0, value);
    return view.getUint32(0).toString(16);
  });

describe('initialParameters', () => {
  it('draws weight and bias of a 5x5 convolution within 1/5, from one stream each', () => {
    // From an independent Philox in Python: seed 42, streams 0 and 1, elements 0 to 5.
    const [weight, bias] = initialParameters(layersOf('lenet5'), 42) as [Float32Array, Float32Array];
    expect(bits(weight.subarray(0, 6))).toEqual([
      'be192d6e',
      '3d19cc00',
      'bd8c79ad',
      '3de98786',
      'be1a5d85',
      'bd6f83a0',
    ]);
    expect(bits(bias)).toEqual(['bda2562d', '3dd7316a', '3e114e4a', '3e126542', 'bdbfdb23', 'be257300']);
  });

  const small = zooModels.filter(({ model }) => model.name !== 'cnn11m').map(({ model }) => model.name);
  it.each(small)('keeps every value of %s within its bound, and a batch norm at 1 and 0', (name) => {
    const layers = layersOf(name);
    const values = initialParameters(layers, 7);
    for (const [index, parameter] of modelParameters(layers).entries()) {
      const bound = { weight: 1 / Math.sqrt(parameter.fanIn), bias: 1 / Math.sqrt(parameter.fanIn), gamma: 1, beta: 0 };
      const parameterValues = values[index] as Float32Array;
      expect(parameterValues).toHaveLength(parameter.size);
      const largest = parameterValues.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
      expect(largest).toBeLessThanOrEqual(Math.fround(bound[parameter.role]));
      if (parameter.role === 'gamma') expect(new Set(parameterValues)).toEqual(new Set([1]));
    }
  });

  it('has the mean and variance of a uniform distribution over 400,000 weights', () => {
    const [, , , , weight] = initialParameters(layersOf('mynet'), 1) as Float32Array[];
    const values = [...(weight as Float32Array)];
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    // Bound^2 / 3 with bound = 1/sqrt(800); five standard errors of each estimate.
    const expected = 1 / 800 / 3;
    expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(expected / values.length));
    expect(Math.abs(variance / expected - 1)).toBeLessThan(5 * Math.sqrt(0.8 / values.length));
  });

  it('gives the same bits for the same seed, others for another', () => {
    const draw = (seed: number) => initialParameters(layersOf('tiny6k'), seed).flatMap(bits);
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
    expect(draw(3)).not.toEqual(draw(3 + 2 ** 32));
  });
});

describe('initialBuffers', () => {
  it('starts running means at 0 and variances at 1', () => {
    const buffers = initialBuffers(layersOf('gap19k'));
    expect(buffers).toHaveLength(14);
    expect(buffers[0]).toEqual(new Float32Array(8));
    expect(buffers[13]).toEqual(new Float32Array(32).fill(1));
  });
});
