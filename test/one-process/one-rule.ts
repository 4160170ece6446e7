/** Rules of pixels are decided once, by the training part, and kept with the weights: whoever uses the model obeys them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import { readOwnCopy } from '../../packages/cli/dist/api/own-copy.js';
import { evaluate } from '../../packages/cli/dist/api/session.js';
import { loadModel, type TrainedModel } from '../../packages/cli/dist/index.js';
import { type Dataset, normalizationFor, openDataset, whiteOf } from '../../packages/core/dist/data/index.js';
import { describeDataset } from '../../packages/core/dist/wire/index.js';
import { measureDifference } from '../support/export-fixture.ts';
import { drawImages, encodePicture, inOrder, labelOf, type OpenData, writeOpenData } from './one-rule-data.ts';
import { checkExports, run, TOLERANCE } from './round-trip.ts';

/** Trains two steps on data, and asks everybody who can answer about its test images. */
export async function checkOneRule(data: OpenData): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'lockstep-rule-'));
  const cache = process.env['LOCKSTEP_CACHE'];
  process.env['LOCKSTEP_CACHE'] = path.join(folder, 'cache');
  try {
    await check(data, folder);
  } finally {
    if (cache === undefined) delete process.env['LOCKSTEP_CACHE'];
    else process.env['LOCKSTEP_CACHE'] = cache;
    rmSync(folder, { recursive: true });
  }
}

async function check(data: OpenData, folder: string): Promise<void> {
  const { place, flags } = writeOpenData(data, folder);
  const input = { channels: data.channels, ...(data.resize ?? { height: data.height, width: data.width }) };
  const layers = [
    { type: 'conv', outChannels: 2, kernel: 3 },
    { type: 'relu' },
    { type: 'flatten' },
    { type: 'linear', outFeatures: 2 },
  ];
  const model = path.join(folder, 'm.json');
  writeFileSync(model, JSON.stringify({ name: 'm', input, classes: 2, layers }));
  const weights = path.join(folder, 'w.safetensors');
  const own = ['--data', place, '--workers', '1', '--json'];
  const training = await run('train', model, ...own, ...flags, '--steps', '2', '--batch-size', '16', '--save', weights);
  const [told, end] = ['data', 'end'].map((name) => eventsOf(training.out).find(({ event }) => event === name));

  // no flag says how to read them again
  const [report] = eventsOf((await run('evaluate', '--weights', weights, ...own)).out);
  expect(report).toMatchObject({
    loss: end?.['testLoss'],
    correct: end?.['testCorrect'],
    total: end?.['testTotal'],
    dataReport: { checksum: told?.['checksum'] },
  });

  const loaded = await loadModel(weights);
  const dataset = await openDataset(place, readingOf(data, loaded));
  expect(dataset.checksum).toBe(told?.['checksum']);
  expect((await loaded.evaluate(dataset, { workers: 1 })).loss).toBe(report?.['loss']);
  const expected = await answer(loaded, dataset);
  const predicted = await loaded.predict(dataset.test.images, { workers: 1 });
  expect(predicted.map(({ probabilities }) => probabilities)).toEqual(expected);

  const header = describeDataset({ ...dataset, origin: await originOf(place, data) });
  const different: string[] = [];
  expect((await readOwnCopy(place, header, (text) => different.push(text)))?.checksum).toBe(dataset.checksum);
  expect(different).toEqual([]);

  await checkTable(data, { folder, weights }, expected);
  await checkPicture(data, { folder, weights, model: loaded, dataset }, expected);
  await checkExports(loaded, dataset, weights, folder);
}

/** What the model's notes say of data, as a program would pass it on. */
const readingOf = ({ resize }: OpenData, { notes }: TrainedModel) => ({
  labelColumn: 'first',
  ...(resize && { resize }),
  ...(notes.pictures && { pictures: notes.pictures }),
});

/** What a coordinator says of data that were read with the flags of the training. */
async function originOf(place: string, { form, channels, height, width, layout, isSaid, resize }: OpenData) {
  const isRows = form === 'table' || form === 'rows';
  const { origin } = await openDataset(place, {
    ...(resize && { resize }),
    ...(isRows && { csvShape: { channels, height, width } }),
    ...(isRows && channels === 3 && isSaid && { csvLayout: layout }),
    labelColumn: 'first',
  });
  return origin;
}

const eventsOf = (out: string): Record<string, unknown>[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const predictionsOf = (out: string): number[][] =>
  eventsOf(out)
    .filter(({ event }) => event === 'prediction')
    .map(({ probabilities }) => Object.values(probabilities as Record<string, number>));

/** Probabilities of the test images. */
async function answer({ spec, state, notes }: TrainedModel, dataset: Dataset): Promise<number[][]> {
  const normalized = { ...dataset, ...normalizationFor(notes, whiteOf(notes)) };
  const request = { model: spec, state, dataset: normalized, split: 'test', workers: 1, logits: true } as const;
  const { logits } = await evaluate(request);
  return Array.from({ length: dataset.test.count }, (_, n) => {
    const [a = 0, b = 0] = (logits as Float32Array).subarray(2 * n, 2 * n + 2);
    const most = Math.max(a, b);
    const [x, y] = [Math.exp(a - most), Math.exp(b - most)];
    return [x / (x + y), y / (x + y)];
  });
}

/** The images that were held out, the last of each class, in the order of their files. */
function testImages(data: OpenData, count: number): number[][] {
  const images = drawImages(data);
  const perClass = count / 2;
  const last = (label: number): number[] =>
    images.flatMap((_, i) => (labelOf(i) === label ? [i] : [])).slice(-perClass);
  const both = [...last(0), ...last(1)];
  return (data.form === 'pictures' ? both : both.sort((a, b) => a - b)).map((i) => images[i] as number[]);
}

/** The test images alone in a table without labels: so few that their own neighbours may say another order. */
async function checkTable(
  data: OpenData,
  { folder, weights }: { folder: string; weights: string },
  expected: readonly number[][],
): Promise<void> {
  if (data.form !== 'table' && (data.form !== 'rows' || data.white > 255)) return;
  const table = path.join(folder, 'asked.csv');
  writeFileSync(
    table,
    testImages(data, expected.length)
      .map((image) => inOrder(image, data).join())
      .join('\n'),
  );
  const { out } = await run('predict', '--weights', weights, '--csv', table, '--json', '--workers', '1');
  expect(predictionsOf(out)).toEqual(expected);
}

/** Pictures as they were in the training; of other data the same images as pictures, where bytes can say them. */
async function checkPicture(
  data: OpenData,
  { folder, weights, model, dataset }: { folder: string; weights: string; model: TrainedModel; dataset: Dataset },
  expected: readonly number[][],
): Promise<void> {
  const scale = 255 / whiteOf(model.notes);
  const isOwn = data.form === 'pictures';
  if (!isOwn && (data.resize !== undefined || !Number.isInteger(scale))) return;
  const bytes = dataset.test.images.length / dataset.test.count;
  const names = expected.map((_, index) => {
    const name = path.join(folder, `${index}.png`);
    const stored = dataset.test.images.subarray(index * bytes, (index + 1) * bytes);
    const scaled = Array.from(stored, (value) => value * scale);
    writeFileSync(
      name,
      isOwn
        ? encodePicture(testImages(data, expected.length)[index] as number[], data)
        : encodePicture(scaled, { ...data, white: 255 }),
    );
    return name;
  });
  const { out } = await run('predict', '--weights', weights, '--json', '--workers', '1', ...names);
  const difference = measureDifference(predictionsOf(out).flat(), Float32Array.from(expected.flat()));
  expect(difference).toBeLessThan(TOLERANCE);
}
