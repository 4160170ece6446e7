import { describe, expect, it } from 'vitest';
import { computeLogits, softmax } from '../../page/network.mjs';
import { assumeData } from '../data/pixels/data-notes.js';
import { inferLayers } from '../model/layers.js';
import { initialBuffers, initialParameters } from '../run/initial-weights.js';
import { parseModelSpec } from '../spec/model-spec.js';
import { findZooModel } from '../zoo/zoo.js';
import { exportHtml } from './html.js';

const { model } = findZooModel('lenet5');
const layers = inferLayers(model);
const state = { parameters: initialParameters(layers, 1), buffers: initialBuffers(layers) };
const page = exportHtml(model, state, { ...assumeData(model), classNames: ['</script>', ...'123456789'] });

describe('exportHtml', () => {
  it('leaves no placeholder and no module import', () => {
    expect(page).not.toMatch(/\{\{|^import |^export /m);
  });

  it('names no address, and lets the browser load none', () => {
    expect(page).not.toMatch(/https?:|src=|url\(|@import/);
    expect(page).toContain(`content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"`);
  });

  it('keeps a class name from ending the script it stands in', () => {
    const text = /<script type="application\/json" id="model">(.*)<\/script>/.exec(page)?.[1] ?? '';
    expect(JSON.parse(text)).toMatchObject({ input: model.input, classNames: expect.arrayContaining(['</script>']) });
    expect(page.match(/<\/script>/g)).toHaveLength(3);
  });

  it('holds every weight to the last bit', () => {
    const base64 = /id="weights">([^<]*)</.exec(page)?.[1] ?? '';
    const expected = Buffer.concat(state.parameters.map((values) => new Uint8Array(values.buffer)));
    expect(Buffer.from(base64, 'base64').equals(expected)).toBe(true);
  });

  it('refuses a model that reads colours', () => {
    const colours = parseModelSpec({
      name: 'colours',
      input: { channels: 3, height: 2, width: 2 },
      classes: 2,
      layers: [{ type: 'flatten' }, { type: 'linear', outFeatures: 2 }],
    });
    expect(() => exportHtml(colours, state, assumeData(colours))).toThrow(
      'LOCKSTEP_EXPORT_HTML: colours reads images of 3 channels; on the page one draws in one. Export it as onnx instead.',
    );
  });
});

describe("the page's network", () => {
  const run = (
    shape: readonly number[],
    list: readonly object[],
    weights: readonly number[],
    pixels: readonly number[],
  ) => {
    const [channels = 1, height = 1, width = 1] = shape;
    const ones = new Array<number>(channels).fill(1);
    const network = {
      input: { channels, height, width },
      layers: list as { type: string }[],
      mean: ones.map(() => 0),
      std: ones.map(() => 1 / 255),
    };
    return [...computeLogits(network, Float32Array.from(weights), pixels)];
  };
  const conv = { type: 'conv', kernel: 2, stride: 1, padding: 0, groups: 1, bias: true, outChannels: 1 };

  it('convolves without flipping, 2x2 over 2x3', () => {
    // 1*1 + 2*2 + 3*4 + 4*5 + 10 and 1*2 + 2*3 + 3*5 + 4*6 + 10
    expect(run([1, 2, 3], [conv], [1, 2, 3, 4, 10], [1, 2, 3, 4, 5, 6])).toEqual([47, 57]);
  });

  it('pads with zeros and strides', () => {
    const strided = { ...conv, kernel: 3, stride: 2, padding: 1, bias: false };
    // windows at (0,0), (0,2), (2,0), (2,2) of a 3x3 image with a border of zeros, weights of 1
    expect(run([1, 3, 3], [strided], Array(9).fill(1), [1, 2, 3, 4, 5, 6, 7, 8, 9])).toEqual([12, 16, 24, 28]);
  });

  it('keeps groups apart', () => {
    const depthwise = { ...conv, kernel: 1, groups: 2, outChannels: 2, bias: false };
    expect(run([2, 1, 1], [depthwise], [3, 5], [10, 100])).toEqual([30, 500]);
  });

  it('normalizes, takes the largest and the mean of windows, and cuts at 0', () => {
    expect(run([1, 1, 2], [{ type: 'batchNorm' }], [2, 1, 3, 4 - 1e-5], [3, 5])).toEqual([1, 3]);
    expect(run([1, 2, 2], [{ type: 'maxPool', kernel: 2 }], [], [1, 7, 3, 5])).toEqual([7]);
    expect(run([1, 2, 2], [{ type: 'avgPool', kernel: 2 }], [], [1, 7, 3, 5])).toEqual([4]);
    expect(run([1, 2, 2], [{ type: 'globalAvgPool' }, { type: 'relu' }], [], [1, 7, 3, 5])).toEqual([4]);
  });

  it('multiplies flat values, and gives probabilities that add up to 1', () => {
    const linear = [{ type: 'flatten' }, { type: 'dropout', p: 0.5 }, { type: 'linear', outFeatures: 2, bias: true }];
    expect(run([1, 1, 2], linear, [1, 2, -3, -4, 10, 20], [5, 6])).toEqual([27, -19]);
    expect(softmax([0, Math.log(3)])).toEqual([expect.closeTo(0.25, 12), expect.closeTo(0.75, 12)]);
  });
});
