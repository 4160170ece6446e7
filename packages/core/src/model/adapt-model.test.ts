import { describe, expect, it } from 'vitest';
import { findZooModel, zooModels } from '../zoo/zoo.js';
import { adaptModel } from './adapt-model.js';
import { inferLayers } from './layers.js';

const model = (name: string) => findZooModel(name).model;
const MNIST = { channels: 1, height: 28, width: 28, classes: 10 };

describe('adaptModel', () => {
  it.each(zooModels.map((entry) => [entry.model.name, entry.model] as const))('leaves %s alone on MNIST', (_, own) => {
    expect(adaptModel(own, MNIST)).toEqual({ model: own, changes: [] });
    expect(adaptModel(own, MNIST).model).toBe(own);
  });

  it.each(zooModels.map((entry) => [entry.model.name, entry.model] as const))(
    'fits %s to RGB images of 32x32 in 4 classes',
    (_, own) => {
      const isConvNet = ['net19k'].includes(own.name);
      const side = isConvNet ? 28 : 32;
      const adapted = adaptModel(own, { channels: 3, height: side, width: side, classes: 4 }).model;
      const layers = inferLayers(adapted);
      expect(adapted).toMatchObject({ name: own.name, input: { channels: 3, height: side, width: side }, classes: 4 });
      expect(layers.at(-1)?.output).toEqual({ channels: 4, height: 1, width: 1 });
    },
  );

  it('tells what it changed, an average pooling over all of the image among it', () => {
    const { changes, model: adapted } = adaptModel(model('gap19k'), {
      channels: 3,
      height: 64,
      width: 48,
      classes: 12,
    });
    expect(changes).toEqual(['input 1x28x28 to 3x64x48', 'layer 26 (avgPool 3) to globalAvgPool', '10 classes to 12']);
    expect(adapted.layers[24]).toMatchObject({ type: 'conv', outChannels: 12 });
    expect(adapted.layers[25]).toEqual({ type: 'globalAvgPool' });
  });

  it('keeps the names of layers, so that weights still match', () => {
    const names = (layers: ReturnType<typeof inferLayers>) => layers.map(({ name }) => name);
    const adapted = adaptModel(model('lenet5'), { ...MNIST, height: 40, width: 40, classes: 26 }).model;
    expect(names(inferLayers(adapted))).toEqual(names(inferLayers(model('lenet5'))));
  });

  it('names the layer that does not fit', () => {
    expect(() => adaptModel(model('lenet5'), { channels: 1, height: 12, width: 12, classes: 3 })).toThrow(
      'LOCKSTEP_DATA_MODEL: lenet5 reads images of 1x28x28 in 10 classes, the data has 1x12x12 in 3, and its layers do not fit that ' +
        '(lenet5: layer 4 (conv): kernel 5 does not fit its 4x4 input). Choose another model, or bring the data to its size with --resize.',
    );
  });

  it('refuses more channels than the kernels read', () => {
    expect(() => adaptModel(model('lenet5'), { ...MNIST, channels: 17 })).toThrow(
      'LOCKSTEP_DATA_MODEL: lenet5 reads up to 16 channels, the data has images of 17x28x28.',
    );
  });
});
