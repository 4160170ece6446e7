/** The tail of a contribution: what other nodes may be sent while the shards are still taken back to the image. */
import { inferLayers } from '@lockstep/core/model';
import { packState, planContribution } from '@lockstep/core/run';
import { recipeSchema } from '@lockstep/core/spec';
import { allocateAligned, findIsa, openMemory, place } from '@lockstep/kernels';
import { describe, expect, it } from 'vitest';
import { planMemory } from '../plan/memory-plan.js';
import { tailOf } from './compile.js';
import { NativeEngine } from './native-engine.js';
import { findZoo, initialState, jitterDigits } from './test-digits.js';
import { bytesOf } from './test-harness.js';

const SEED = 3;
const SAMPLES = 256;

async function prepare(name: string) {
  const { model } = findZoo(name);
  const layers = inferLayers(model);
  const layout = planContribution(layers);
  const recipe = recipeSchema.parse({ batchSize: SAMPLES });
  const memory = planMemory(layout, recipe, 1);
  const kernels = openMemory(findIsa());
  const arena = allocateAligned(memory.floats, kernels);
  packState(layout, initialState(name, SEED), arena.subarray(0, layout.length));
  const { normalization, ...data } = await jitterDigits(SAMPLES, SEED);
  const order = place(
    Int32Array.from({ length: SAMPLES }, (_, index) => index),
    kernels,
  );
  const task = { layers, layout, recipe, seed: SEED };
  const engine = new NativeEngine(
    { ...task, normalization: { mean: [normalization.mean], std: [normalization.std] } },
    { arena, order, kernels },
    { images: place(data.images, kernels), labels: place(data.labels, kernels) },
  );
  const floats = arena.subarray(memory.partialsAt(0) * 16);
  const partials = memory.partialsAt(0);
  const call = { state: 0, partials, samples: SAMPLES, orderStart: 0, step: 0, epoch: 0, progress: 0 };
  return { engine, floats, call, layout, tailAt: tailOf(layers, layout, recipe) };
}

describe('the tail of a contribution', () => {
  it.each([
    ['one wave', 0, 8, 1],
    ['two waves that make one partial', 0, 16, 1],
    ['an uneven range', 3, 13, 4],
  ])('is final before the convolutions are, for %s', async (_, firstShard, endShard, partials) => {
    const { engine, floats, call, layout, tailAt } = await prepare('lenet5');
    expect(tailAt).toBeGreaterThan(0);
    expect(tailAt).toBeLessThan(layout.length);
    engine.contribute({ ...call, firstShard, endShard });
    const whole = floats.slice();
    // padding between regions stays as it is, so not NaN
    floats.fill(0);
    let early: Float32Array | undefined;
    engine.contribute({ ...call, firstShard, endShard }, () => (early = floats.slice()));
    for (let partial = 0; partial < partials; partial++) {
      const [begin, end] = [partial * layout.length, (partial + 1) * layout.length];
      const tail = bytesOf(whole.subarray(begin + tailAt, end));
      expect(bytesOf((early as Float32Array).subarray(begin + tailAt, end)).equals(tail)).toBe(true);
      expect(bytesOf(floats.subarray(begin, end)).equals(bytesOf(whole.subarray(begin, end)))).toBe(true);
    }
  });

  it('is not announced by a model whose shards go forward and backward in one go', async () => {
    const { engine, call, layout, tailAt } = await prepare('gap19k');
    expect(tailAt).toBe(layout.length);
    let count = 0;
    engine.contribute({ ...call, firstShard: 0, endShard: 1 }, () => (count += 1));
    expect(count).toBe(0);
  });
});
