import { describe, expect, it } from 'vitest';
import { inferLayers, modelParameters } from '../model/layers.js';
import { findRecipe, findZooModel, namedModels, zooModels } from './zoo.js';

describe('the zoo', () => {
  it('holds the six networks under different names', () => {
    expect(zooModels.map(({ model }) => model.name)).toEqual([
      'tiny6k',
      'net19k',
      'gap19k',
      'lenet5',
      'mynet',
      'cnn11m',
    ]);
  });

  it.each(namedModels.map((entry) => [entry.model.name, entry] as const))(
    'gives %s a claim and a description',
    (_, entry) => {
      expect(entry.claim).toMatch(/test set|parameters/);
      expect(entry.model.description).toMatch(/\w/);
    },
  );

  it('names the weights of lenet5 as its PyTorch module does', () => {
    const names = modelParameters(inferLayers(findZooModel('lenet5').model)).map((parameter) => parameter.name);
    expect(names).toEqual(
      ['conv1', 'conv2', 'fc1', 'fc2', 'fc3'].flatMap((name) => [`${name}.weight`, `${name}.bias`]),
    );
  });

  it('names the weights of cnn11m as its two nested nn.Sequential do', () => {
    const layers = inferLayers(findZooModel('cnn11m').model).filter((layer) => layer.parameters.length > 0);
    expect(layers.map((layer) => layer.name)).toEqual([
      ...[0, 2, 5, 7, 9, 11].map((index) => `features.${index}`),
      ...[1, 4, 6].map((index) => `classifier.${index}`),
    ]);
  });

  it('trains net19k as its document says', () => {
    const recipe = findRecipe(findZooModel('net19k'), 'author');
    expect(recipe).toMatchObject({
      epochs: 20,
      batchSize: 128,
      shardSize: 128,
      optimizer: { type: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0 },
      learningRate: 0.025,
      schedule: { type: 'step', every: 9, gamma: 0.15 },
      augmentation: { rotation: 7, shift: 0, scale: 0 },
    });
    expect(
      findZooModel('net19k').model.layers.filter((layer) => layer.type === 'dropout' && layer.p === 0.1),
    ).toHaveLength(7);
  });

  it('trains cnn11m with Adam at 1e-3', () => {
    const { recipe } = findZooModel('cnn11m');
    expect(recipe).toMatchObject({ epochs: 10, learningRate: 1e-3, schedule: { type: 'constant' } });
    expect(recipe.optimizer).toEqual({ type: 'adam', betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 });
  });

  it("finds gap19k's two recipes by name, and takes ours for a run that names none", () => {
    const entry = findZooModel('gap19k');
    expect(findRecipe(entry, 'author')).toMatchObject({ epochs: 20, batchSize: 512, augmentation: { rotation: 15 } });
    expect(findRecipe(entry, 'ours')).toBe(entry.recipe);
  });

  it.each([
    ['athor', '"athor". Did you mean author? It has ours, author.'],
    ['toString', '"toString". It has ours, author.'],
  ])('names the recipes that there are when there is no %s', (name, end) => {
    const text = `net19k has no recipe called ${end}`;
    expect(() => findRecipe(findZooModel('net19k'), name)).toThrow(
      expect.objectContaining({ code: 'LOCKSTEP_RECIPE_UNKNOWN', text }),
    );
  });

  it('names the nearest model when there is none of a name', () => {
    const text =
      'no model is called "lenet". Did you mean lenet5? ' +
      'The zoo has tiny6k, net19k, gap19k, lenet5, mynet, cnn11m, sprint13k, sprint33k, sprint165k; a path to a .json file works as well.';
    expect(() => findZooModel('lenet')).toThrow(expect.objectContaining({ code: 'LOCKSTEP_MODEL_UNKNOWN', text }));
  });
});
