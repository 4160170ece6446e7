/** `import { train, loadModel } from 'lockstep'`: the front door for programs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { train as trainRequest } from '../../packages/cli/dist/api/session.js';
import { createArrayDataset, type Dataset, loadModel, type RunEvent, train } from '../../packages/cli/dist/index.js';
import { recipeSchema } from '../../packages/core/dist/spec/index.js';
import { cutSample } from '../../tools/golden-runs.mjs';
import { SMALL_IMAGES, smallModel } from '../support/small-run.js';

const data: Dataset = await cutSample(SMALL_IMAGES, 50);
const recipe = { epochs: 2, batchSize: 64, learningRate: 0.01 };
const IMAGE = 28 * 28;

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-library-'));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe('train', () => {
  it('gives the bits of the command, by events or by its result', async () => {
    let expected = '';
    const request = { model: smallModel, recipe: recipeSchema.parse(recipe), dataset: data, seed: 4, workers: 1 };
    for await (const event of trainRequest({ ...request, engine: 'native' })) {
      if (event.event === 'end') expected = event.parametersSha256;
    }
    const events: RunEvent[] = [];
    const run = train({ model: smallModel, recipe, data, seed: 4, workers: 3 });
    for await (const event of run) events.push(event);
    expect(events[0]?.event).toBe('start');
    expect(events.at(-1)).toMatchObject({ event: 'end', parametersSha256: expected, steps: 8 });
    expect((await run.result()).sha256).toBe(expected);
    expect((await train({ model: smallModel, recipe, data, seed: 4, workers: 2 }).result()).sha256).toBe(expected);
  });

  it('tells once, with the report on the data, what was guessed of data at a path, and how classes are held out', async () => {
    vi.stubEnv('LOCKSTEP_CACHE', path.join(folder, 'cache'));
    const file = path.join(folder, 'sorted.csv');
    const rows = Array.from({ length: 60 }, (_, row) => [row < 30 ? 0 : 1, ...new Array(IMAGE).fill(4 * row)].join());
    writeFileSync(file, rows.join('\n'));
    const events: RunEvent[] = [];
    const options = { recipe: { batchSize: 16 }, validation: 4, steps: 1, workers: 1 };
    for await (const event of train({ ...options, model: 'tiny6k', data: file })) events.push(event);
    const told = (of: readonly RunEvent[], text: string) => of.filter((event) => JSON.stringify(event).includes(text));
    const guess = 'the labels of sorted.csv are column 1 of 785, by its 2 values';
    expect(told(events, guess)).toEqual([
      expect.objectContaining({
        event: 'data',
        notes: expect.arrayContaining([{ kind: 'guessed', text: guess, flag: '--label-column' }]),
      }),
    ]);
    const { channels, height, width, classes, test } = data;
    const inOrder = { images: data.train.images, labels: data.train.labels.slice().sort() };
    const sorted = createArrayDataset({ channels, height, width, classes, train: inOrder, test });
    const held: RunEvent[] = [];
    for await (const event of train({ ...options, model: smallModel, data: sorted })) held.push(event);
    const holdOut =
      'the last 4 training images are of 1 class: the last of each class are held out for validation instead, of 4';
    expect(told(held, holdOut).map(({ event }) => event)).toEqual(['data']);
  });

  it('lays a recipe over that of a model of the zoo', async () => {
    for await (const event of train({
      model: 'tiny6k',
      recipe: { optimizer: { type: 'sgd', momentum: 0.5 } },
      data,
      steps: 1,
    })) {
      if (event.event !== 'start') continue;
      expect(event.recipe).toMatchObject({
        epochs: 10,
        optimizer: { momentum: 0.5, nesterov: true },
        schedule: { type: 'one-cycle' },
      });
    }
  });

  it('ends in order when aborted', async () => {
    const abort = new AbortController();
    const run = train({
      model: smallModel,
      recipe: { ...recipe, epochs: 100_000 },
      data,
      signal: abort.signal,
      workers: 2,
    });
    let last: RunEvent | undefined;
    for await (const event of run) {
      if (event.event === 'epoch') abort.abort();
      last = event;
    }
    expect(last).toMatchObject({ event: 'end', reason: 'interrupted' });
    expect((await run.result()).steps).toBeGreaterThanOrEqual(4);
  });

  it('stops its workers when the loop is left, and then has no result', async () => {
    const run = train({ model: smallModel, recipe: { ...recipe, epochs: 100_000 }, data, workers: 2 });
    for await (const event of run) if (event.event === 'epoch') break;
    await expect(run.result()).rejects.toThrow('the run was left before its end, so it has no result');
  });

  it.each<[string, Parameters<typeof train>[0], string]>([
    ['a model that is not there', { model: 'tiny7k' }, 'LOCKSTEP_MODEL_UNKNOWN'],
    ['a recipe', { model: smallModel, recipe: { epochs: 0 } }, 'LOCKSTEP_RECIPE: options: recipe.epochs'],
    ['a pattern', { model: smallModel, recipe: { freeze: ['conv9'] } }, 'LOCKSTEP_FREEZE_PATTERN'],
    ['a folder', { resume: '/nowhere' }, 'LOCKSTEP_CHECKPOINT_NONE'],
    ['weights', { model: smallModel, weights: '/nowhere.safetensors' }, 'LOCKSTEP_WEIGHTS_READ'],
  ])('rejects %s, each time it is asked', async (_, options, text) => {
    const run = train({ data, ...options });
    await expect(run.result()).rejects.toThrow(text);
    await expect(run.result()).rejects.toThrow(text);
  });
});

describe('a trained model', () => {
  it('is the same after saving and loading, and predicts as it evaluates', async () => {
    const file = path.join(folder, 'w.safetensors');
    const trained = await train({ model: smallModel, recipe: { ...recipe, epochs: 10 }, data, workers: 2 }).result();
    trained.save(file);
    const model = await loadModel(file);
    expect(model).toMatchObject({
      sha256: trained.sha256,
      parameterCount: trained.parameterCount,
      spec: { name: 'small' },
    });
    const evaluated = await model.evaluate(data, { workers: 1 });
    const predicted = await model.predict(data.test.images, { workers: 2 });
    expect(predicted.map((one) => one.predicted)).toEqual(evaluated.predictions.map((one) => one.predicted));
    expect(predicted.filter((one, i) => one.predicted === data.test.labels[i])).toHaveLength(evaluated.correct);
    for (const { probabilities } of predicted) expect(probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 10);
  });

  it('rejects bytes that are no whole number of images', async () => {
    const model = await train({ model: smallModel, recipe, data, steps: 1 }).result();
    await expect(model.predict(new Uint8Array(IMAGE + 1))).rejects.toThrow(
      'LOCKSTEP_PREDICT_IMAGES: 785 bytes are not a whole number of images: small reads 1x28x28, 784 bytes each.',
    );
  });

  it('passes its weights on to a new head, and frozen layers stay as they were', async () => {
    const file = path.join(folder, 'w.safetensors');
    const base = await train({ model: smallModel, recipe, data }).result();
    base.save(file);
    const labels = [...data.train.labels].map((label) => label % 3);
    const own = { channels: 1, height: 28, width: 28, classes: 3 };
    const split = { images: data.train.images, labels };
    const transfer = { weights: file, replaceHead: 3, data: createArrayDataset({ ...own, train: split, test: split }) };
    const model = await train({ ...transfer, recipe: { ...recipe, freeze: ['features.*'] } }).result();
    expect(model.spec.classes).toBe(3);
    expect(model.state.parameters.slice(0, 4)).toEqual(base.state.parameters.slice(0, 4));
    expect(model.state.buffers).toEqual(base.state.buffers);
    expect(model.state.parameters[4]).toHaveLength(3 * ((base.state.parameters[4]?.length ?? 0) / 10));
  });
});
