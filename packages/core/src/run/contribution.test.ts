import { describe, expect, it } from 'vitest';
import { inferLayers } from '../model/layers.js';
import { zooModels } from '../zoo/zoo.js';
import { packState, planContribution, unpackState } from './contribution.js';
import { initialBuffers, initialParameters } from './initial-weights.js';

describe('planContribution', () => {
  it('lays conv, batch norm and result out by hand: 2x1x3x3 weight, 2 biases, 2 gammas, 2 betas, 6 statistics', () => {
    const layers = inferLayers({
      name: 'm',
      input: { channels: 1, height: 3, width: 3 },
      classes: 2,
      layers: [
        { type: 'conv', outChannels: 2, kernel: 3, stride: 1, padding: 0, groups: 1, bias: true },
        { type: 'batchNorm' },
      ],
    });
    const layout = planContribution(layers);
    expect(layout.regions.map(({ kind, offset, size }) => [kind, offset, size])).toEqual([
      ['parameter', 0, 18],
      ['parameter', 32, 2],
      ['parameter', 48, 2],
      ['parameter', 64, 2],
      ['statistics', 80, 6],
      ['result', 96, 2],
    ]);
    expect(layout.length).toBe(112);
  });

  it.each(zooModels.map((zoo) => [zoo.model.name, zoo.model] as const))(
    'packs and unpacks the state of %s',
    (_, model) => {
      const layers = inferLayers(model);
      const layout = planContribution(layers);
      const state = { parameters: initialParameters(layers, 7), buffers: initialBuffers(layers) };
      const packed = new Float32Array(layout.length);
      packState(layout, state, packed);
      const back = unpackState(layout, packed);
      const bytes = (vectors: readonly Float32Array[]): Buffer =>
        Buffer.concat(vectors.map((v) => Buffer.from(v.buffer)));
      expect(bytes(back.parameters).equals(bytes(state.parameters))).toBe(true);
      expect(bytes(back.buffers).equals(bytes(state.buffers))).toBe(true);
    },
  );
});
