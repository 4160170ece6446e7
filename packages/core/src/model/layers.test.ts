import { describe, expect, it } from 'vitest';
import { type ModelSpecInput, parseModelSpec } from '../spec/model-spec.js';
import { zooModels } from '../zoo/zoo.js';
import { inferLayers, modelParameters, parameterCount, type Shape } from './layers.js';

type LayerInput = ModelSpecInput['layers'][number];

const infer = (input: Shape, classes: number, ...layers: LayerInput[]) =>
  inferLayers(parseModelSpec({ name: 'my', input, classes, layers }));

const image = (channels: number, height: number, width = height): Shape => ({ channels, height, width });

describe('inferLayers', () => {
  const windows: [string, Shape, LayerInput, Shape][] = [
    ['a 3x3 convolution of 28x28', image(1, 28), { type: 'conv', outChannels: 8, kernel: 3 }, image(8, 26)],
    [
      'a 5x5 convolution padded by 1',
      image(1, 28),
      { type: 'conv', outChannels: 32, kernel: 5, padding: 1 },
      image(32, 26),
    ],
    ['a convolution with stride 2', image(1, 28), { type: 'conv', outChannels: 2, kernel: 3, stride: 2 }, image(2, 13)],
    ['a convolution of an oblong image', image(1, 5, 9), { type: 'conv', outChannels: 2, kernel: 3 }, image(2, 3, 7)],
    ['a pool that leaves the last row out', image(32, 7), { type: 'maxPool', kernel: 2 }, image(32, 3)],
    ['a pool with stride 1', image(32, 13), { type: 'maxPool', kernel: 2, stride: 1 }, image(32, 12)],
    ['an average pool of everything', image(10, 4), { type: 'avgPool', kernel: 4 }, image(10, 1)],
    ['a global average pool', image(10, 4, 7), { type: 'globalAvgPool' }, image(10, 1)],
    ['a flatten', image(32, 12), { type: 'flatten' }, image(4608, 1)],
    ['a linear layer over one pixel', image(120, 1), { type: 'linear', outFeatures: 7 }, image(7, 1)],
    ['a batch norm', image(3, 4), { type: 'batchNorm' }, image(3, 4)],
  ];
  it.each(windows)('gives the output shape of %s', (_, input, layer, output) => {
    const classes = output.channels * output.height * output.width;
    expect(infer(input, classes, layer)[0]).toMatchObject({ input, output });
  });

  it('lists parameters and buffers with PyTorch names, shapes and fan-in', () => {
    const layers = infer(
      image(4, 3),
      2,
      { type: 'conv', name: 'conv1', outChannels: 6, kernel: 3, groups: 2 },
      { type: 'batchNorm' },
      { type: 'flatten' },
      { type: 'linear', outFeatures: 2, bias: false },
    );
    expect(modelParameters(layers)).toEqual([
      { name: 'conv1.weight', shape: [6, 2, 3, 3], size: 108, fanIn: 18, role: 'weight' },
      { name: 'conv1.bias', shape: [6], size: 6, fanIn: 18, role: 'bias' },
      { name: '1.weight', shape: [6], size: 6, fanIn: 0, role: 'gamma' },
      { name: '1.bias', shape: [6], size: 6, fanIn: 0, role: 'beta' },
      { name: '3.weight', shape: [2, 6], size: 12, fanIn: 6, role: 'weight' },
    ]);
    expect(layers.flatMap((layer) => layer.buffers)).toEqual([
      { name: '1.running_mean', size: 6, role: 'runningMean' },
      { name: '1.running_var', size: 6, role: 'runningVar' },
    ]);
  });

  it('is flat from flatten or linear on', () => {
    const layers = infer(image(2, 1), 3, { type: 'relu' }, { type: 'linear', outFeatures: 3 }, { type: 'relu' });
    expect(layers.map((layer) => layer.isFlat)).toEqual([false, true, true]);
  });

  const conv = (kernel: number, more: object = {}): LayerInput => ({ type: 'conv', outChannels: 4, kernel, ...more });
  const errors: [string, Shape, LayerInput[], string][] = [
    [
      'a kernel larger than its input',
      image(1, 9),
      [conv(3), conv(3), conv(3), conv(5)],
      'my: layer 4 (conv): kernel 5 does not fit its 3x3 input',
    ],
    [
      'a kernel larger than its padded input',
      image(1, 2, 3),
      [conv(5, { padding: 1 })],
      'my: layer 1 (conv): kernel 5 does not fit its 2x3 input padded by 1',
    ],
    [
      'a pool larger than its input',
      image(1, 3),
      [{ type: 'avgPool', kernel: 4 }],
      'my: layer 1 (avgPool): kernel 4 does not fit its 3x3 input',
    ],
    [
      'groups that do not divide the input',
      image(3, 3),
      [conv(1, { groups: 2 })],
      'my: layer 1 (conv): 2 groups do not divide its 3 input channels',
    ],
    [
      'groups that do not divide the output',
      image(3, 3),
      [conv(1, { groups: 3 })],
      'my: layer 1 (conv): 3 groups do not divide its 4 output channels',
    ],
    [
      'a convolution after flatten',
      image(1, 3),
      [{ type: 'flatten' }, conv(1)],
      'my: layer 2 (conv): needs an image, its input is flat',
    ],
    [
      'a pool after flatten',
      image(1, 3),
      [{ type: 'flatten' }, { type: 'globalAvgPool' }],
      'my: layer 2 (globalAvgPool): needs an image, its input is flat',
    ],
    [
      'a linear layer over an image',
      image(2, 3, 4),
      [{ type: 'linear', outFeatures: 4 }],
      'my: layer 1 (linear): needs flat input, got 2x3x4: put a flatten before it',
    ],
    [
      'two layers of one name',
      image(1, 3),
      [
        { type: 'relu', name: 'a' },
        { type: 'relu', name: 'a' },
      ],
      'my: layer 2 (relu): the name "a" is taken by an earlier layer',
    ],
    [
      'a name that is the default name of an earlier layer',
      image(1, 3),
      [{ type: 'relu' }, { type: 'relu', name: '0' }],
      'my: layer 2 (relu): the name "0" is taken by an earlier layer',
    ],
    [
      'logSoftmax before the end',
      image(4, 1),
      [{ type: 'logSoftmax' }, { type: 'relu' }],
      'my: layer 1 (logSoftmax): may only be the last layer',
    ],
    [
      'an output that is not one value per class',
      image(1, 3),
      [conv(3), { type: 'relu' }],
      'my: the last layer gives 4x1x1, expected 7 values, one per class',
    ],
  ];
  it.each(errors)('refuses %s', (_, input, layers, text) => {
    expect(() => infer(input, 7, ...layers)).toThrow(expect.objectContaining({ code: 'LOCKSTEP_MODEL_SHAPE', text }));
  });
});

describe('parameterCount', () => {
  const counts = { tiny6k: 6_456, net19k: 18_970, gap19k: 19_194, lenet5: 44_426, mynet: 431_080, cnn11m: 11_705_450 };
  it.each(zooModels.map(({ model }) => [model.name, model] as const))(
    'counts what the document of %s says',
    (name, model) => {
      expect(parameterCount(inferLayers(model))).toBe(counts[name as keyof typeof counts]);
    },
  );
});
