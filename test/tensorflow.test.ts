/** The tensorflow engine in real runs, and exports in a TensorFlow.js that knows nothing of Lockstep. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type Dataset,
  findZooModel,
  inferLayers,
  loadEmbedded,
  loadMnist,
  loadWeights,
  recipeSchema,
} from '../packages/core/dist/index.js';
import { LocalNode, tensorFlowFolder } from '../packages/worker/dist/index.js';
import { describeTensorFlow } from './tensorflow-availability.js';

const BIN = path.resolve(import.meta.dirname, '../packages/cli/dist/bin.js');
const CHECK = path.resolve(import.meta.dirname, 'tfjs-check.cjs');
/** Of the largest logit: float32 rounds each of the thousands of additions behind one. */
const LOGIT_TOLERANCE = 1e-5;
/** tfjs's cpu backend computes a few hundred images a second. */
const CPU_IMAGES = 64;

function findMnist(): string | undefined {
  const folder = process.env['LOCKSTEP_MNIST'] ?? path.resolve(import.meta.dirname, '../../shared/mnist');
  return existsSync(path.join(folder, 'train-images-idx3-ubyte.gz')) ? folder : undefined;
}

let folder = '';
let dataset: Dataset;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-tensorflow-'));
  const directory = findMnist();
  dataset = directory === undefined ? await loadEmbedded() : await loadMnist({ directory });
});

afterAll(() => rmSync(folder, { recursive: true }));

/** The last line of a run of the program. */
function lockstep(...args: string[]): Record<string, unknown> {
  const data = findMnist();
  const all = [...args, ...(data === undefined ? [] : ['--data', data]), '--json'];
  const output = execFileSync(process.execPath, [BIN, ...all], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(output.trim().split('\n').at(-1) as string);
}

function predict(backend: 'tensorflow' | 'cpu', model: string, count: number): Float32Array {
  const pixels = path.join(folder, 'pixels');
  const out = path.join(folder, 'logits');
  writeFileSync(pixels, dataset.test.images.slice(0, count * 28 * 28));
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' };
  execFileSync(process.execPath, [CHECK, tensorFlowFolder(), backend, model, pixels, String(count), out], {
    env,
    stdio: 'ignore',
  });
  return new Float32Array(Uint8Array.from(readFileSync(out)).buffer);
}

/** The largest difference over the largest magnitude. */
function farthest(a: Float32Array, b: Float32Array): number {
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0) / largest;
}

/** Logits of the native engine for every test image. */
async function nativeLogits(name: string, weights: string): Promise<Float32Array> {
  const { model } = findZooModel(name);
  const initial = loadWeights(weights, inferLayers(model));
  const node = new LocalNode({ model, recipe: recipeSchema.parse({}), dataset, seed: 0, workers: 1, initial });
  try {
    const { logits } = await node.evaluate('test', { logits: true });
    return logits as Float32Array;
  } finally {
    await node.close();
  }
}

function countCorrect(logits: Float32Array): number {
  return dataset.test.labels.reduce((correct, label, i) => {
    const row = logits.subarray(10 * i, 10 * i + 10);
    return correct + (row.indexOf(Math.max(...row)) === label ? 1 : 0);
  }, 0);
}

describeTensorFlow('the tensorflow engine', () => {
  it('gives the same bits with one worker and with two', () => {
    const run = (workers: number) =>
      lockstep('train', 'lenet5', '--engine', 'tensorflow', '--workers', String(workers), '--steps', '12', '--no-save');
    const one = run(1);
    expect(one).toMatchObject({ event: 'end', steps: 12, parametersSha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(run(2)['parametersSha256']).toBe(one['parametersSha256']);
  });

  it('is named in the start of a run, and by doctor', () => {
    const output = execFileSync(process.execPath, [BIN, 'doctor', '--json'], { encoding: 'utf8' });
    const { findings } = JSON.parse(output) as { findings: { name: string; verdict: string; text: string }[] };
    expect(findings.find(({ name }) => name === 'tensorflow engine')).toEqual({
      name: 'tensorflow engine',
      verdict: 'good',
      text: 'tfjs-node 4.22.0, libtensorflow 2.15.1',
    });
  });
});

describeTensorFlow('an export for TensorFlow.js', () => {
  it.each(['tiny6k', 'net19k', 'lenet5'])(
    '%s: the same logits in tfjs-node and on the cpu backend, the same count of right test images',
    async (name) => {
      const weights = path.join(folder, `${name}.safetensors`);
      lockstep('train', name, '--steps', '100', '--save', weights);
      execFileSync(process.execPath, [BIN, 'export', '--weights', weights, '--format', 'tfjs'], { stdio: 'ignore' });
      const exported = path.join(folder, `${name}-tfjs`, 'model.json');
      const ours = await nativeLogits(name, weights);
      const correct = countCorrect(ours);
      const theirs = predict('tensorflow', exported, dataset.test.count);
      expect(farthest(theirs, ours)).toBeLessThan(LOGIT_TOLERANCE);
      expect(countCorrect(theirs)).toBe(correct);
      expect(farthest(predict('cpu', exported, CPU_IMAGES), ours)).toBeLessThan(LOGIT_TOLERANCE);
      const again = lockstep('evaluate', '--weights', exported, '--mistakes', '0');
      expect(again['correct']).toBe(correct);
    },
  );
});

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'];
const browserPath = process.env['LOCKSTEP_BROWSER'] ?? BROWSERS.map(findProgram).find((found) => found !== undefined);
const BROWSER_IMAGES = 32;
const SITE = 'http://lockstep.test/';

function findProgram(name: string): string | undefined {
  try {
    return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Runs in the page: what a web site does that has TensorFlow.js and the two files. */
async function predictInPage([url, pixels, count]: readonly [string, number[], number]): Promise<number[]> {
  // biome-ignore lint/suspicious/noExplicitAny: the library is a global of the page
  const { tf } = globalThis as any;
  await tf.setBackend('cpu');
  const model = await tf.loadLayersModel(`${url}model.json`);
  return Array.from(model.predict(tf.tensor4d(pixels, [count, 28, 28, 1])).dataSync());
}

describeTensorFlow('an export for TensorFlow.js in a browser', () => {
  const why = browserPath === undefined ? ' (skipped: no Chromium here; install one or set LOCKSTEP_BROWSER)' : '';

  it.skipIf(browserPath === undefined)(`gives the same logits${why}`, async () => {
    const weights = path.join(folder, 'page.safetensors');
    lockstep('train', 'gap19k', '--steps', '60', '--save', weights);
    execFileSync(process.execPath, [BIN, 'export', '--weights', weights, '--format', 'tfjs'], { stdio: 'ignore' });
    const exported = path.join(folder, 'page-tfjs');
    const library = path.join(tensorFlowFolder(), 'node_modules/@tensorflow/tfjs/dist/tf.min.js');
    const browser = await chromium.launch({ executablePath: browserPath as string, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      await page.route('**/*', (route) => {
        const name = route.request().url().slice(SITE.length);
        if (name === '') return route.fulfill({ contentType: 'text/html', body: '<title>a page</title>' });
        return existsSync(path.join(exported, name))
          ? route.fulfill({ path: path.join(exported, name) })
          : route.abort();
      });
      await page.goto(SITE);
      await page.addScriptTag({ path: library });
      const pixels = [...dataset.test.images.subarray(0, BROWSER_IMAGES * 28 * 28)];
      const logits = await page.evaluate(predictInPage, [SITE, pixels, BROWSER_IMAGES] as const);
      const ours = await nativeLogits('gap19k', weights);
      expect(farthest(Float32Array.from(logits), ours.subarray(0, logits.length))).toBeLessThan(LOGIT_TOLERANCE);
    } finally {
      await browser.close();
    }
  });
});
