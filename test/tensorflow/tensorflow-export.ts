/** Exports in a TensorFlow.js that knows nothing of Lockstep, beside what the native engine says of the same images. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import type { Dataset } from '../../packages/core/dist/data/index.js';
import { loadEmbedded, loadMnist } from '../../packages/core/dist/data/mnist/index.js';
import { inferLayers } from '../../packages/core/dist/model/index.js';
import { recipeSchema } from '../../packages/core/dist/spec/index.js';
import { loadWeights } from '../../packages/core/dist/state/index.js';
import { findZooModel } from '../../packages/core/dist/zoo/index.js';
import { LocalNode } from '../../packages/worker/dist/node/index.js';
import { tensorFlowFolder } from '../../packages/worker/dist/tensorflow-engine/index.js';

export const BIN = path.resolve(import.meta.dirname, '../../packages/cli/dist/bin.js');
const CHECK = path.resolve(import.meta.dirname, 'tfjs-check.cjs');
/** Of the largest logit: float32 rounds each of the thousands of additions behind one. */
export const LOGIT_TOLERANCE = 1e-5;
/** tfjs's cpu backend computes a few hundred images a second. */
const CPU_IMAGES = 64;

/** Full MNIST where it is at hand, else the embedded sample; and a folder for exports. */
export class ExportFixture {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'lockstep-tensorflow-'));

  private constructor(
    readonly dataset: Dataset,
    private readonly source: readonly string[],
  ) {}

  static async open(): Promise<ExportFixture> {
    const directory = process.env['LOCKSTEP_MNIST'] ?? path.resolve(import.meta.dirname, '../../../shared/mnist');
    const isThere = existsSync(path.join(directory, 'train-images-idx3-ubyte.gz'));
    const dataset = isThere ? await loadMnist({ directory }) : await loadEmbedded();
    return new ExportFixture(dataset, isThere ? ['--data', directory] : []);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  /** The last line of a run of the program. */
  lockstep(...args: string[]): Record<string, unknown> {
    const all = [...args, ...this.source, '--json'];
    const stdio = ['ignore', 'pipe', 'ignore'] as const;
    const output = execFileSync(process.execPath, [BIN, ...all], { encoding: 'utf8', stdio: [...stdio] });
    return JSON.parse(output.trim().split('\n').at(-1) as string);
  }

  /** Trains a little, and exports. @returns the weights and the folder of the export */
  export(name: string, steps: number): { readonly weights: string; readonly exported: string } {
    const weights = path.join(this.folder, `${name}.safetensors`);
    this.lockstep('train', name, '--steps', String(steps), '--save', weights);
    execFileSync(process.execPath, [BIN, 'export', '--weights', weights, '--format', 'tfjs'], { stdio: 'ignore' });
    return { weights, exported: path.join(this.folder, `${name}-tfjs`) };
  }

  /** The same logits in tfjs-node and on the cpu backend, the same count of right test images, also when read back. */
  async check(name: string, steps: number): Promise<void> {
    const { weights, exported } = this.export(name, steps);
    const model = path.join(exported, 'model.json');
    const ours = await this.nativeLogits(name, weights);
    const correct = this.#countCorrect(ours);
    const theirs = this.#predict('tensorflow', model, this.dataset.test.count);
    expect(farthest(theirs, ours)).toBeLessThan(LOGIT_TOLERANCE);
    expect(this.#countCorrect(theirs)).toBe(correct);
    expect(farthest(this.#predict('cpu', model, CPU_IMAGES), ours)).toBeLessThan(LOGIT_TOLERANCE);
    expect(this.lockstep('evaluate', '--weights', model, '--mistakes', '0')['correct']).toBe(correct);
  }

  #predict(backend: 'tensorflow' | 'cpu', model: string, count: number): Float32Array {
    const pixels = path.join(this.folder, 'pixels');
    const out = path.join(this.folder, 'logits');
    writeFileSync(pixels, this.dataset.test.images.slice(0, count * 28 * 28));
    const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' };
    const args = [CHECK, tensorFlowFolder(), backend, model, pixels, String(count), out];
    execFileSync(process.execPath, args, { env, stdio: 'ignore' });
    return new Float32Array(Uint8Array.from(readFileSync(out)).buffer);
  }

  /** Logits of the native engine for every test image. */
  async nativeLogits(name: string, weights: string): Promise<Float32Array> {
    const { dataset } = this;
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

  #countCorrect(logits: Float32Array): number {
    return this.dataset.test.labels.reduce((correct, label, i) => {
      const row = logits.subarray(10 * i, 10 * i + 10);
      return correct + (row.indexOf(Math.max(...row)) === label ? 1 : 0);
    }, 0);
  }
}

/** The largest difference over the largest magnitude. */
export function farthest(a: Float32Array, b: Float32Array): number {
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0) / largest;
}
