import { inferLayers } from '@lockstep/core/model';
import { planContribution } from '@lockstep/core/run';
import { parseModelSpec, recipeSchema } from '@lockstep/core/spec';
import { allocateAligned, loadKernels, place } from '@lockstep/kernels';
import { describe, expect, it } from 'vitest';
import { drawRandomShard, NOISE_NORMALIZATION } from '../reference/random-shard.js';
import { compile } from './compile.js';
import { prepareNativeStep } from './test-harness.js';

/** Microseconds of this process's processor time: what other processes do on the machine does not count. */
function processorTime(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

describe('planning the kernels of a model', () => {
  it('cases: numbers 14: takes less work than a step of three shards does, with 5x5 kernels to 1,024 channels', () => {
    const model = parseModelSpec({
      name: 'wide',
      input: { channels: 3, height: 28, width: 28 },
      classes: 2,
      layers: [
        { type: 'conv', outChannels: 1024, kernel: 5 },
        { type: 'globalAvgPool' },
        { type: 'flatten' },
        { type: 'linear', outFeatures: 2 },
      ],
    });
    const layers = inferLayers(model);
    const { mean, std } = NOISE_NORMALIZATION;
    const normalization = { mean: [mean, mean, mean], std: [std, std, std] };
    const { code } = compile({
      layers,
      layout: planContribution(layers),
      recipe: recipeSchema.parse({}),
      normalization,
    });
    const kernels = loadKernels();
    const bytes = place(new Uint8Array(16), kernels.memory);
    const order = place(new Int32Array(16), kernels.memory);
    const plan = () => kernels.createEngine(code, allocateAligned(16, kernels.memory), bytes, bytes, order);
    const run = prepareNativeStep({ model, ...drawRandomShard(layers, { seed: 1, sampleCount: 16 }), samples: 16 });
    run.contribute();
    const step = processorTime(() => {
      for (let shard = 0; shard < 3; shard++) run.contribute();
    });
    expect(processorTime(plan)).toBeLessThan(step);
  });
});
