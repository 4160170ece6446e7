import { describe, expect, it } from 'vitest';
import { ProgramBuilder } from './program.js';
import { listOps } from './program-ops.js';
import { NO_BORDER } from './records.js';

function buildProgram(): Int32Array {
  const builder = new ProgramBuilder(1, 1);
  const image = builder.tensor({ channels: 2, height: 6, width: 6 }, NO_BORDER, false);
  const y = builder.tensor({ channels: 4, height: 4, width: 4 }, NO_BORDER, false, true);
  const flat = builder.flat(y);
  const logits = builder.tensor({ channels: 3, height: 1, width: 1 }, NO_BORDER, false, true);
  builder.stage(false, false);
  builder.input(image, { rotation: 0, scale: 0, shift: 0 }, [
    { scale: 1, shift: 0 },
    { scale: 1, shift: 0 },
  ]);
  const conv = builder.conv(image, y, 0, -1, { kernel: 3, stride: 1, padding: 0, groups: 2 }, true);
  const dense = builder.dense(flat, logits, 80, -1);
  builder.loss(logits, 320, 0);
  builder.stage(false, true);
  builder.denseWeightGradient(dense, logits);
  builder.denseInputGradient(dense, logits, flat);
  builder.convWeightGradient(conv, y);
  builder.zeroGradient(64, 80);
  return builder.finish(336);
}

describe('listOps', () => {
  const ops = listOps(buildProgram());

  it('lists ops in program order, without the declarations between them', () => {
    const names = ['input', 'conv', 'dense', 'loss', 'denseWeightGradient', 'denseInputGradient'];
    expect(ops.map(({ name }) => name)).toEqual([...names, 'convWeightGradient', 'zeroGradient']);
  });

  it('names shapes and windows', () => {
    expect(ops[1]?.shape).toBe('2x6x6 > 4x4x4 k3 g2');
    expect(ops[2]?.shape).toBe('64 > 3');
    expect(ops[7]?.shape).toBe('16 floats of the contribution');
  });

  it('counts the multiply-adds of a grouped convolution once per weight and output pixel, also for its gradient', () => {
    const weights = 4 * 1 * 9;
    expect([ops[1]?.multiplyAdds, ops[6]?.multiplyAdds]).toEqual([weights * 16, weights * 16]);
  });

  it('counts the multiply-adds of a dense layer', () => {
    expect([2, 4, 5].map((index) => ops[index]?.multiplyAdds)).toEqual([192, 192, 192]);
  });

  it('counts no multiply-adds for what passes over memory', () => {
    expect([0, 3, 7].map((index) => ops[index]?.multiplyAdds)).toEqual([0, 0, 0]);
  });
});
