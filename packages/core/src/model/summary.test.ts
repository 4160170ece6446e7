import { describe, expect, it } from 'vitest';
import { parseModelSpec } from '../spec/model-spec.js';
import { findZooModel } from '../zoo/zoo.js';
import { inferLayers, modelParameters } from './layers.js';
import { summarize, summarizeTotals } from './summary.js';

const zoo = (name: string) => findZooModel(name).model;

describe('summarizeTotals', () => {
  // Mult-adds of gap19k by hand: 784*(72 + 576 + 576) + 196*(1152 + 2304) + 49*(4608 + 9216) + 9*320.
  it.each([
    ['gap19k', 2_317_248],
    ['tiny6k', 904_676],
    ['lenet5', 281_640],
    ['net19k', 2_053_560],
    ['mynet', 2_293_000],
    ['cnn11m', 47_907_968],
  ])('counts the multiply-adds of %s: %i', (name, multAdds) => {
    expect(summarizeTotals(zoo(name)).multAdds).toBe(multAdds);
  });

  it('explains the 59.61 M in the document of cnn11m by weights that were counted twice', () => {
    const weights = modelParameters(inferLayers(zoo('cnn11m'))).filter((parameter) => parameter.role === 'weight');
    const twice = weights.reduce((sum, weight) => sum + weight.size, 0);
    const { multAdds } = summarizeTotals(zoo('cnn11m'));
    expect((multAdds / 1e6).toFixed(2)).toBe('47.91');
    expect(((multAdds + twice) / 1e6).toFixed(2)).toBe('59.61');
  });

  // gap19k: 38 at the 1x1 convolution (jump 8), and 2 more jumps for the 3x3 average. lenet5 sees the whole image.
  it.each([
    ['gap19k', 54],
    ['tiny6k', 32],
    ['lenet5', 28],
    ['mynet', 28],
    ['net19k', 40],
    ['cnn11m', 48],
  ])('finds the receptive field of %s: %i pixels', (name, field) => {
    expect(summarizeTotals(zoo(name)).receptiveField).toBe(field);
  });

  it('counts the 18,970 parameters of net19k, all trainable', () => {
    expect(summarizeTotals(zoo('net19k'))).toMatchObject({ parameters: 18_970, trainable: 18_970, nonTrainable: 0 });
  });

  it('measures sizes in MB of 2^20 bytes, without the outputs of functional layers', () => {
    const totals = summarizeTotals(zoo('lenet5'));
    expect(totals.inputMegabytes).toBe((784 * 4) / 2 ** 20);
    expect(totals.passMegabytes).toBe((2 * (6 * 576 + 16 * 64 + 120 + 84 + 10) * 4) / 2 ** 20);
    expect(totals.parametersMegabytes).toBe((44_426 * 4) / 2 ** 20);
    expect(totals.totalMegabytes).toBe(totals.inputMegabytes + totals.passMegabytes + totals.parametersMegabytes);
  });
});

describe('summarize', () => {
  it('describes a grouped convolution: 6x2x3x3 weights used at 4x4 pixels', () => {
    const model = parseModelSpec({
      name: 'my',
      input: { channels: 4, height: 8, width: 8 },
      classes: 6,
      layers: [
        { type: 'conv', outChannels: 6, kernel: 3, stride: 2, padding: 1, groups: 2 },
        { type: 'relu', functional: true },
        { type: 'globalAvgPool' },
      ],
    });
    const [conv, relu, pool] = summarize(model);
    expect(conv).toEqual({
      name: '0',
      type: 'Conv2d',
      functional: false,
      outputShape: [-1, 6, 4, 4],
      outputSize: 96,
      parameters: 114,
      window: { kernel: 3, stride: 2, padding: 1 },
      multAdds: 1728,
      receptiveField: 3,
    });
    expect(relu).toMatchObject({ type: 'F.relu', functional: true, window: undefined, multAdds: 0, receptiveField: 3 });
    // 4 values side by side, 2 pixels apart: 3 + 3 * 2.
    expect(pool).toMatchObject({ type: 'AdaptiveAvgPool2d', outputShape: [-1, 6, 1, 1], receptiveField: 9 });
  });

  it('lets a layer between flatten and linear pass its field on, and the linear layer see all of the image', () => {
    const model = parseModelSpec({
      name: 'my',
      input: { channels: 1, height: 5, width: 7 },
      classes: 2,
      layers: [
        { type: 'conv', outChannels: 1, kernel: 3 },
        { type: 'flatten' },
        { type: 'batchNorm' },
        { type: 'linear', outFeatures: 2 },
      ],
    });
    expect(summarize(model).map((row) => [row.type, row.outputShape, row.receptiveField])).toEqual([
      ['Conv2d', [-1, 1, 3, 5], 3],
      ['Flatten', [-1, 15], 3],
      ['BatchNorm1d', [-1, 15], 3],
      ['Linear', [-1, 2], 7],
    ]);
  });
});
