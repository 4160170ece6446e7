/** Exports compute what the kernels compute: ONNX in onnxruntime, the page's network in JavaScript. */

import { allocateSplit, createDataset, type Dataset, describeData } from '@lockstep/core/data';
import { collectWeights, describePageModel, exportOnnx } from '@lockstep/core/exports';
import { adaptModel, inferLayers } from '@lockstep/core/model';
import { findZooModel, zooModels } from '@lockstep/core/zoo';
import * as ort from 'onnxruntime-web';
import { beforeAll, describe, expect, it } from 'vitest';
import { computeLogits } from '../../packages/core/page/network.mjs';
import {
  computeReference,
  findLargest,
  loadDigits,
  makeUntrained,
  measureDifference,
  type Trained,
  trainDigits,
} from '../support/export-fixture.ts';

/** Float32 sums in another order: a few units in the last place of the largest logit. */
const TOLERANCE = 1e-5;
const BATCH = 500;

let dataset: Dataset;
beforeAll(async () => {
  ort.env.wasm.numThreads = 1;
  dataset = await loadDigits();
});

/** Logits of the first test images, in batches of at most `BATCH`: the last may be shorter. */
async function runOnnx({ model, state, notes }: Trained, count: number, { test } = dataset): Promise<Float32Array> {
  const { channels, height, width } = model.input;
  const bytes = channels * height * width;
  const session = await ort.InferenceSession.create(exportOnnx(model, state, notes), { executionProviders: ['wasm'] });
  const logits = new Float32Array(count * model.classes);
  for (let from = 0; from < count; from += BATCH) {
    const images = Math.min(BATCH, count - from);
    const pixels = Float32Array.from(test.images.subarray(from * bytes, (from + images) * bytes));
    const output = await session.run({ pixels: new ort.Tensor('float32', pixels, [images, channels, height, width]) });
    logits.set(output['logits']?.data as Float32Array, from * model.classes);
  }
  await session.release();
  return logits;
}

function runPage({ model, state, notes }: Trained, count: number, { test } = dataset): Float32Array {
  const bytes = model.input.channels * model.input.height * model.input.width;
  const parts = collectWeights(inferLayers(model), state);
  const weights = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    weights.set(part, at);
    at += part.length;
  }
  const logits = new Float32Array(count * model.classes);
  const pageModel = describePageModel(model, notes);
  for (let index = 0; index < count; index++) {
    const image = test.images.subarray(index * bytes, (index + 1) * bytes);
    logits.set(computeLogits(pageModel, weights, image), index * model.classes);
  }
  return logits;
}

describe('a trained lenet5', () => {
  let trained: Trained;
  let expected: Awaited<ReturnType<typeof computeReference>>;
  let count: number;

  beforeAll(async () => {
    trained = await trainDigits('lenet5', dataset, 300);
    count = dataset.test.count;
    expected = await computeReference(trained, dataset, count);
  });

  it('as ONNX gives the same logits and predictions on every test image', async () => {
    const logits = await runOnnx(trained, count);
    expect(measureDifference(logits, expected.logits)).toBeLessThan(TOLERANCE);
    expect(findLargest(logits, 10)).toEqual(expected.predicted);
  });

  it('in the page gives the same logits and predictions on the first test images', () => {
    const some = Math.min(count, 1000);
    const logits = runPage(trained, some);
    expect(measureDifference(logits, expected.logits.subarray(0, some * 10))).toBeLessThan(TOLERANCE);
    expect(findLargest(logits, 10)).toEqual(expected.predicted.slice(0, some));
  });

  it('as ONNX gives probabilities that add up to 1, and carries its classes', async () => {
    const bytes = exportOnnx(trained.model, trained.state, trained.notes);
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
    expect([session.inputNames, session.outputNames]).toEqual([['pixels'], ['logits', 'probabilities']]);
    const pixels = new ort.Tensor('float32', Float32Array.from(dataset.test.images.subarray(0, 784)), [1, 1, 28, 28]);
    const output = await session.run({ pixels });
    const probabilities = output['probabilities']?.data as Float32Array;
    expect(probabilities.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
    expect(Buffer.from(bytes).toString('latin1')).toContain('["0","1","2","3","4","5","6","7","8","9"]');
  });
});

describe.each(zooModels.map(({ model }) => [model.name, model] as const))('%s', (name, model) => {
  const count = name === 'cnn11m' ? 4 : 40;

  it('computes the same as ONNX and in the page', async () => {
    const untrained = makeUntrained(model);
    const { logits } = await computeReference(untrained, dataset, count);
    expect(measureDifference(await runOnnx(untrained, count), logits)).toBeLessThan(TOLERANCE);
    expect(measureDifference(runPage(untrained, count), logits)).toBeLessThan(TOLERANCE);
  });
});

it('a model of RGB images in four classes, each channel normalized by itself, computes the same', async () => {
  const shape = { channels: 3, height: 32, width: 30, classes: 4 };
  const { model } = adaptModel(findZooModel('gap19k').model, shape);
  const [mean, std] = [
    [0.4, 0.5, 0.6],
    [0.2, 0.25, 0.3],
  ] as const;
  const test = allocateSplit(20, 3 * 32 * 30);
  test.images.set(Uint8Array.from({ length: test.images.length }, (_, i) => (i * 7919) % 256));
  const colours = createDataset({
    name: 'x',
    source: 'x',
    ...shape,
    mean,
    std,
    train: test,
    validation: allocateSplit(0, 0),
    test,
  });
  const untrained = { ...makeUntrained(model), notes: describeData(colours) };
  const { logits } = await computeReference(untrained, colours, 20);
  expect(measureDifference(await runOnnx(untrained, 20, colours), logits)).toBeLessThan(TOLERANCE);
  expect(measureDifference(runPage(untrained, 20, colours), logits)).toBeLessThan(TOLERANCE);
});
