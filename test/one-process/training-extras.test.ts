/** What a recipe may add to a step: moving average, clipped gradients, frozen layers, smoothed labels; and snapshots. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Dataset } from '../../packages/core/dist/data/index.js';
import { inferLayers } from '../../packages/core/dist/model/index.js';
import { averageDecay, type ModelState } from '../../packages/core/dist/run/index.js';
import type { NodeSnapshot } from '../../packages/core/dist/seams/index.js';
import { type RecipeInput, recipeSchema } from '../../packages/core/dist/spec/index.js';
import { hashParameters } from '../../packages/core/dist/state/index.js';
import { LocalNode } from '../../packages/worker/dist/node/index.js';
import { cutSample } from '../../tools/golden-runs.mjs';
import { SMALL_IMAGES, SMALL_STEPS_PER_EPOCH, smallModel } from '../support/small-run.js';

const layers = inferLayers(smallModel);
const dataset: Dataset = await cutSample(SMALL_IMAGES, 40);
const open: LocalNode[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((node) => node.close()));
});

const BASE: RecipeInput = { epochs: 100, batchSize: 64, learningRate: 0.01, augmentation: { rotation: 10 } };

function startNode(recipe: RecipeInput, workers: number): LocalNode {
  const parsed = recipeSchema.parse({ ...BASE, ...recipe });
  const node = new LocalNode({ model: smallModel, recipe: parsed, dataset, seed: 3, workers });
  open.push(node);
  return node;
}

/** Trains steps [from, to), a segment for each epoch. */
async function trainSteps(node: LocalNode, from: number, to: number): Promise<void> {
  for (let step = from; step < to; ) {
    const epoch = Math.floor(step / SMALL_STEPS_PER_EPOCH);
    const endStep = Math.min(to, (epoch + 1) * SMALL_STEPS_PER_EPOCH);
    await node.train({ epoch, firstStep: step, endStep });
    step = endStep;
  }
}

const hash = (state: ModelState | undefined): string => hashParameters(layers, state as ModelState);
const vectorsOf = ({ parameters, buffers }: ModelState): Float32Array[] => [...parameters, ...buffers];
const bytesOf = (values: Float32Array): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

const everything: RecipeInput = {
  ema: 0.9,
  emaWarmup: true,
  clipNorm: 0.3,
  labelSmoothing: 0.1,
  freeze: ['0.bias'],
  optimizer: { type: 'adamw' },
};

describe('any number of workers', () => {
  it('gives the same bits of state and moving average with every extra', async () => {
    const hashes = new Set<string>();
    for (const workers of [1, 2, 3, 5]) {
      const node = startNode(everything, workers);
      await trainSteps(node, 0, 7);
      hashes.add(`${hash(node.readState())} ${hash(node.readAverage())}`);
    }
    expect([...hashes]).toHaveLength(1);
  });

  it('can go on from the snapshot of any other, in the middle of an epoch', async () => {
    const whole = startNode(everything, 2);
    await trainSteps(whole, 0, 11);
    const first = startNode(everything, 3);
    await trainSteps(first, 0, 6);
    const second = startNode(everything, 1);
    second.restore(first.readSnapshot());
    await trainSteps(second, 6, 11);
    const [expected, got] = [whole.readSnapshot(), second.readSnapshot()] as NodeSnapshot[];
    expect(got).toEqual(expected);
    expect(second.progress()).toEqual(whole.progress());
  });
});

describe('the moving average', () => {
  it.each([false, true])('is decay * average + (1 - decay) * state after each step, warm-up %s', async (emaWarmup) => {
    const node = startNode({ ema: 0.9, emaWarmup }, 2);
    const expected = vectorsOf(node.readState());
    for (let step = 0; step < 6; step++) {
      await trainSteps(node, step, step + 1);
      const decay = averageDecay(0.9, emaWarmup, step + 1);
      const [kept, added] = [Math.fround(decay), Math.fround(1 - decay)];
      vectorsOf(node.readState()).forEach((values, i) => {
        const average = expected[i] as Float32Array;
        average.forEach((value, k) => {
          average[k] = Math.fround(Math.fround(kept * value) + Math.fround(added * (values[k] as number)));
        });
      });
    }
    const got = vectorsOf(node.readAverage() as ModelState);
    for (const [i, values] of got.entries()) expect(bytesOf(values)).toEqual(bytesOf(expected[i] as Float32Array));
  });

  it('leaves the state as it is without', async () => {
    const [plain, averaged] = [startNode({}, 2), startNode({ ema: 0.99 }, 2)];
    await Promise.all([trainSteps(plain, 0, 6), trainSteps(averaged, 0, 6)]);
    expect(hash(averaged.readState())).toBe(hash(plain.readState()));
    expect(plain.readAverage()).toBeUndefined();
  });

  it('is evaluated beside the state', async () => {
    const node = startNode({ ema: 0.99 }, 2);
    await trainSteps(node, 0, 8);
    const [state, average] = [await node.evaluate('test'), await node.evaluate('test', { average: true })];
    const alone = startNode({}, 1);
    const snapshot = node.readSnapshot();
    alone.restore({ ...snapshot, state: snapshot.average as Float32Array, average: undefined });
    const expected = await alone.evaluate('test');
    expect(average.loss).toBe(expected.loss);
    expect(average.loss).not.toBe(state.loss);
  });
});

describe('clipping the norm', () => {
  const sgd: RecipeInput = { optimizer: { type: 'sgd' }, learningRate: 1 };

  it('changes no bit when the norm is below the limit', async () => {
    const [plain, clipped] = [startNode(sgd, 2), startNode({ ...sgd, clipNorm: 1e6 }, 2)];
    await Promise.all([trainSteps(plain, 0, 3), trainSteps(clipped, 0, 3)]);
    expect(hash(clipped.readState())).toBe(hash(plain.readState()));
  });

  it.each([
    ['all parameters', {}],
    ['those that are trained', { freeze: ['features.*'] }],
  ])('scales a step of plain SGD down to the limit over %s', async (_, more) => {
    const clipNorm = 0.01;
    const node = startNode({ ...sgd, ...more, clipNorm }, 2);
    const before = node.readState().parameters;
    await trainSteps(node, 0, 1);
    const moves = node
      .readState()
      .parameters.flatMap((values, i) => [...values.map((value, k) => value - (before[i]?.[k] as number))]);
    const norm = Math.sqrt(moves.reduce((sum, move) => sum + move * move, 0));
    // the parameters are rounded to float32 after the step
    expect(Math.abs(norm - clipNorm)).toBeLessThan(1e-4 * clipNorm);
  });
});

describe('frozen layers', () => {
  it.each(['adam', 'adamw', 'sgd'] as const)('do not change by one bit under %s with weight decay', async (type) => {
    const optimizer = { type, weightDecay: 0.1 };
    const node = startNode({ optimizer, freeze: ['0', '1'], ema: 0.5 }, 3);
    const before = node.readState();
    await trainSteps(node, 0, 9);
    const after = node.readState();
    const isSame = (a: readonly Float32Array[], b: readonly Float32Array[]): boolean[] =>
      a.map((values, i) => bytesOf(values).equals(bytesOf(b[i] as Float32Array)));
    expect(isSame(before.parameters, after.parameters)).toEqual([true, true, true, true, false, false]);
    expect(isSame(before.buffers, after.buffers)).toEqual([true, true]);
    const average = node.readAverage() as ModelState;
    expect(isSame(before.parameters, average.parameters)).toEqual([true, true, true, true, false, false]);
  });
});
