/** One random run, and everything that it writes read back: what Lockstep wrote, Lockstep reads, with equal answers. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodePngImage } from '@lockstep/core/data/pictures';
import fc from 'fast-check';
import * as ort from 'onnxruntime-web';
import { expect } from 'vitest';
import { evaluate } from '../../packages/cli/dist/api/session.js';
import { loadModel, type TrainedModel, train } from '../../packages/cli/dist/index.js';
import { main } from '../../packages/cli/dist/main.js';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';
import { type Dataset, normalizationFor, openDataset, whiteOf } from '../../packages/core/dist/data/index.js';
import { type ModelSpec, parseModelSpec, type RecipeInput } from '../../packages/core/dist/spec/index.js';
import { computeLogits } from '../../packages/core/page/network.mjs';
import { randomModel } from '../../packages/worker/dist/reference/random-models.js';
import { measureDifference } from '../support/export-fixture.ts';
import { type DrawnData, fits, forms, motifs, npzForm, writeData } from './round-trip-data.ts';

/** Float32 sums in another order, after pixels that were scaled in another order too. */
export const TOLERANCE = 1e-4;

/** Names that meet a prefix, another name's beginning, or what some other form of a model puts between layers. */
const NAMES = ['conv1', 'ema.conv1', 'ema', 'optimizer.exp_avg.conv1', 'optimizer.momentum_buffer.ema', 'epoch'];
const MORE_NAMES = [
  'lockstep_pixels',
  'ema_flat',
  'conv1_pad',
  '__proto__',
  'constructor',
  'module.conv1',
  'model.ema',
  'input',
];

export interface Draw extends DrawnData {
  readonly recipe: RecipeInput;
}

const optimizers = [{ type: 'sgd', momentum: 0.9 }, { type: 'adam' }, { type: 'sgd' }] as const;

export const randomRun: fc.Arbitrary<Draw> = fc
  .record({
    drawn: randomModel,
    names: fc.shuffledSubarray([...NAMES, ...MORE_NAMES], { minLength: 0 }),
    form: fc.constantFrom(...forms),
    motif: fc.constantFrom(...motifs),
    white: fc.constantFrom(1, 16, 31, 100, 255),
    optimizer: fc.constantFrom(...optimizers),
    ema: fc.boolean(),
    npz: npzForm,
  })
  .map(({ drawn, names, form, motif, white, optimizer, ema, npz }) => {
    const layers = drawn.layers.map((layer, i) => (names[i] === undefined ? layer : { ...layer, name: names[i] }));
    return {
      model: parseModelSpec({ ...drawn, layers }),
      form: fits(drawn.input, form) ? form : 'arrays',
      motif,
      white: form === 'folder' ? 255 : white,
      npz,
      recipe: { batchSize: 16, epochs: 3, learningRate: 1e-3, optimizer, ...(ema && { ema: 0.9 }) },
    };
  });

/** Trains two steps, and reads everything back; throws what differs. */
export async function checkRoundTrip(draw: Draw): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'lockstep-round-'));
  const cache = process.env['LOCKSTEP_CACHE'];
  process.env['LOCKSTEP_CACHE'] = path.join(folder, 'cache');
  try {
    await check(draw, folder);
  } finally {
    if (cache === undefined) delete process.env['LOCKSTEP_CACHE'];
    else process.env['LOCKSTEP_CACHE'] = cache;
    rmSync(folder, { recursive: true });
  }
}

async function check(draw: Draw, folder: string): Promise<void> {
  const { model, recipe } = draw;
  const data = writeData(draw, folder);
  const options = { model, recipe, data, workers: 1, seed: 3 };
  const checkpoints = { folder: path.join(folder, 'checkpoints') };
  const trained = await train({ ...options, steps: 2, checkpoints }).result();
  const file = path.join(folder, 'w.safetensors');
  trained.save(file);

  const loaded = await loadModel(file);
  expect(loaded.sha256).toBe(trained.sha256);
  expect(loaded.notes).toEqual(trained.notes);
  const dataset =
    typeof data === 'string'
      ? await openDataset(data, {
          classes: model.classes,
          ...(draw.form === 'folder' && { channels: model.input.channels }),
        })
      : data;
  const answers = await loaded.evaluate(dataset, { workers: 1 });
  expect(await trained.evaluate(dataset, { workers: 1 })).toEqual(answers);
  const predicted = await loaded.predict(dataset.test.images, { workers: 1 });
  expect(predicted.map((one) => one.predicted)).toEqual(answers.predictions.map((one) => one.predicted));

  if (typeof data === 'string') {
    const { out } = await run('evaluate', '--weights', file, '--data', data, '--json', '--workers', '1');
    expect(JSON.parse(out)).toMatchObject({ loss: answers.loss, correct: answers.correct, total: answers.total });
  }
  await checkPictures(loaded, dataset, file, folder);
  await checkExports(loaded, dataset, file, folder);

  const resumed = await train({ data, workers: 1, steps: 4, resume: checkpoints.folder }).result();
  expect(resumed.sha256).toBe((await train({ ...options, steps: 4 }).result()).sha256);
  expect(resumed.notes).toEqual(trained.notes);
}

/** Pictures whose white is 255, where that can be said exactly, get the answers of the data. */
async function checkPictures(model: TrainedModel, { test }: Dataset, file: string, folder: string): Promise<void> {
  const { channels, height, width } = model.spec.input;
  const scale = 255 / whiteOf(model.notes);
  if (channels === 2 || !Number.isInteger(scale)) return;
  const bytes = channels * height * width;
  const names = [0, 1].map((index) => {
    const pixels = test.images.subarray(index * bytes, (index + 1) * bytes).map((value) => value * scale);
    const name = path.join(folder, `${index}.png`);
    writeFileSync(name, encodePngImage({ channels, height, width, pixels }));
    return name;
  });
  const { out } = await run('predict', '--weights', file, '--ground', 'mixed', '--json', '--workers', '1', ...names);
  const probabilities = out
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { probability: number }).probability);
  const own = await model.predict(test.images.subarray(0, 2 * bytes), { workers: 1 });
  expect(
    measureDifference(
      probabilities,
      Float32Array.from(own, (one) => one.probability),
    ),
  ).toBeLessThan(TOLERANCE);
}

export async function checkExports(model: TrainedModel, dataset: Dataset, file: string, folder: string): Promise<void> {
  const { spec, state, notes } = model;
  const white = whiteOf(notes);
  const normalized = { ...dataset, ...normalizationFor(notes, white) };
  const { logits, loss } = await evaluate({
    model: spec,
    state,
    dataset: normalized,
    split: 'test',
    workers: 1,
    logits: true,
  });
  const expected = logits as Float32Array;
  const pixels = Float32Array.from(dataset.test.images, (value) => (value * 255) / white);

  await run('export', '--weights', file, '--format', 'tfjs');
  const tfjs = await loadModel(path.join(folder, 'w-tfjs/model.json'));
  expect(tfjs.sha256).toBe(model.sha256);
  expect((await tfjs.evaluate(dataset, { workers: 1 })).loss).toBe(loss);

  await run('export', '--weights', file, '--format', 'onnx');
  expect(measureDifference(await runOnnx(path.join(folder, 'w.onnx'), spec, pixels), expected)).toBeLessThan(TOLERANCE);

  if (spec.input.channels !== 1) return;
  await run('export', '--weights', file, '--format', 'html');
  expect(measureDifference(runPage(path.join(folder, 'w.html'), spec, pixels), expected)).toBeLessThan(TOLERANCE);
}

async function runOnnx(file: string, { input, classes }: ModelSpec, pixels: Float32Array): Promise<Float32Array> {
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(readFileSync(file), { executionProviders: ['wasm'] });
  const { channels, height, width } = input;
  const count = pixels.length / (channels * height * width);
  const given = new ort.Tensor('float32', pixels, [count, channels, height, width]);
  const logits = Float32Array.from((await session.run({ pixels: given }))['logits']?.data as Float32Array);
  expect(logits).toHaveLength(count * classes);
  await session.release();
  return logits;
}

/** What the page computes from the model and weights that stand in it. */
function runPage(file: string, { input }: ModelSpec, pixels: Float32Array): Float32Array {
  const text = readFileSync(file, 'utf8');
  const read = (id: string): string => new RegExp(`id="${id}"[^>]*>([^<]*)<`).exec(text)?.[1] ?? '';
  const model = JSON.parse(read('model'));
  const bytes = Buffer.from(read('weights').trim(), 'base64');
  const weights = Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
  const size = input.channels * input.height * input.width;
  const images = Array.from({ length: pixels.length / size }, (_, i) => pixels.subarray(i * size, (i + 1) * size));
  return Float32Array.from(images.flatMap((image) => [...computeLogits(model, weights, image)]));
}

export async function run(...argv: string[]) {
  const io = new RecordingIo();
  const code = await main(argv, io);
  expect({ argv, code, error: code === 0 ? '' : io.stderr.text }).toEqual({ argv, code: 0, error: '' });
  return { out: io.stdout.text };
}
