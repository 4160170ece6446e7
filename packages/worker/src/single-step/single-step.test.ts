import { summarizeTotals } from '@lockstep/core/model';
import { ALIGNMENT } from '@lockstep/core/run';
import { recipeSchema } from '@lockstep/core/spec';
import { zooModels } from '@lockstep/core/zoo';
import { algorithms, callField, PROFILE_FIELDS, profileField } from '@lockstep/kernels';
import { describe, expect, it } from 'vitest';
import { SingleStep } from './single-step.js';

const SAMPLES = 32;
const SIDE = 28;
const data = {
  images: Uint8Array.from({ length: SAMPLES * SIDE * SIDE }, (_, i) => (i * 37) % 256),
  labels: Uint8Array.from({ length: SAMPLES }, (_, i) => i % 10),
};

const prepare = (name: string): SingleStep => {
  const entry = zooModels.find(({ model }) => model.name === name);
  if (entry === undefined) throw new Error(`no model ${name}`);
  const { augmentation, dropout } = entry.recipe;
  return new SingleStep({
    model: entry.model,
    recipe: recipeSchema.parse({ batchSize: SAMPLES, augmentation, dropout }),
    seed: 1,
    data,
    normalization: { mean: [0.13], std: [0.31] },
  });
};

describe.each(['tiny6k', 'net19k', 'gap19k', 'lenet5', 'mynet'])('a single step of %s', (name) => {
  const step = prepare(name);

  it('has ops whose forward multiply-adds are those of the summary', () => {
    const model = zooModels.find((entry) => entry.model.name === name)!.model;
    const forward = step.ops.filter((op) => op.name === 'conv' || op.name === 'dense');
    expect(forward.reduce((sum, op) => sum + op.multiplyAdds, 0)).toBe(summarizeTotals(model).multAdds);
  });

  it('is profiled op by op, in the order of its ops', () => {
    const rows = step.profile();
    expect(rows.length).toBe(step.ops.length * PROFILE_FIELDS);
    for (const [index, { multiplyAdds }] of step.ops.entries()) {
      const algorithm = algorithms[rows[index * PROFILE_FIELDS + profileField.algorithm] as number];
      expect(algorithm === 'pass').toBe(multiplyAdds === 0);
      expect(rows[index * PROFILE_FIELDS + profileField.nanoseconds]).toBeGreaterThanOrEqual(0);
    }
  });
});

describe('SingleStep', () => {
  it('gives the same bits however often it is run', () => {
    const step = prepare('lenet5');
    const run = (): Buffer => {
      step.contribute();
      step.update();
      const { arena, call } = step.args;
      // after it stands the count of what was done, which goes on
      const results = arena.subarray(0, ALIGNMENT * (call[callField.progress] as number));
      return Buffer.from(Float32Array.from(results).buffer);
    };
    const first = run();
    expect(run().equals(first)).toBe(true);
  });

  it('writes a new state that differs from the old', () => {
    const step = prepare('lenet5');
    const [now, next] = [step.args.updateBlock[0] as number, step.args.updateBlock[1] as number];
    const read = (unit: number): number[] => [...step.args.arena.subarray(unit * 16, unit * 16 + 150)];
    step.contribute();
    step.update();
    expect(read(next).some((value) => value !== 0)).toBe(true);
    expect(read(next)).not.toEqual(read(now));
  });
});
