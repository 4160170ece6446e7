import { describe, expect, it } from 'vitest';
import { CALL_FIELDS, callField } from './calls.js';
import { allocateAligned, availableIsas, loadKernels, place } from './load.js';
import { CONTRIBUTION, writeLinear } from './test-programs.js';

describe.each(availableIsas())('a linear program (%s)', (isa) => {
  it('gives the loss and gradients worked by hand', () => {
    const kernels = loadKernels(isa);
    const arena = allocateAligned(2 * CONTRIBUTION, kernels.memory);
    arena.set([1, -1], 0); // weights; the biases are 0
    const images = place(Uint8Array.of(255, 0, 0), kernels.memory);
    const labels = place(Uint8Array.of(0, 1, 1), kernels.memory);
    const order = place(Int32Array.of(0, 1), kernels.memory);
    const engine = kernels.createEngine(writeLinear(), arena, images, labels, order);
    const call = new Int32Array(CALL_FIELDS);
    call[callField.partials] = CONTRIBUTION / 16;
    call[callField.partialFloats] = CONTRIBUTION / 16;
    call[callField.endShard] = 1;
    call[callField.samples] = 2;
    expect(kernels.contribute(engine, call)).toBe(1);
    // Sample 0: logits 1, -1, label 0. Sample 1: logits 0, 0, label 1: the first of equal classes is predicted.
    const p = 1 / (1 + Math.exp(-2));
    const [dWeight, dBias, result] = [0, 16, 32].map((at) => [
      ...arena.subarray(CONTRIBUTION + at, CONTRIBUTION + at + 2),
    ]);
    const near = (actual: number[] | undefined, expected: number[]): void => {
      for (const [i, value] of expected.entries()) expect(actual?.[i]).toBeCloseTo(value, 6);
    };
    near(dWeight, [p - 1, 1 - p]);
    near(dBias, [p - 1 + 0.5, 1 - p - 0.5]);
    near(result, [Math.log(1 + Math.exp(-2)) + Math.log(2), 1]);
  });

  it('evaluates the same: predicted class, its probability, loss and count', () => {
    const kernels = loadKernels(isa);
    const arena = allocateAligned(CONTRIBUTION, kernels.memory);
    arena.set([1, -1], 0);
    const images = place(Uint8Array.of(255, 0, 255), kernels.memory);
    const labels = place(Uint8Array.of(0, 1, 1), kernels.memory);
    const order = place(new Int32Array(0), kernels.memory);
    const engine = kernels.createEngine(writeLinear(), arena, images, labels, order);
    const call = new Int32Array(CALL_FIELDS);
    call[callField.endShard] = 1;
    call[callField.samples] = 2;
    call[callField.order] = 1; // images 1 and 2
    const results = new Float32Array(6);
    kernels.evaluate(engine, call, results);
    const p = 1 / (1 + Math.exp(-2));
    [0, 0.5, 0, p, Math.log(2) + Math.log(1 + Math.exp(2)), 0].forEach((value, i) => {
      expect(results[i]).toBeCloseTo(value, 6);
    });
  });

  it('counts its ops where it is told to, one more for each op of a shard, and nowhere else', () => {
    const kernels = loadKernels(isa);
    const arena = allocateAligned(4 * CONTRIBUTION + 16, kernels.memory);
    const counted = new Uint32Array(arena.buffer, arena.byteOffset + 16 * CONTRIBUTION, 16);
    const images = place(new Uint8Array(64), kernels.memory);
    const labels = place(new Uint8Array(64), kernels.memory);
    const order = place(
      Int32Array.from({ length: 64 }, (_, i) => i),
      kernels.memory,
    );
    const engine = kernels.createEngine(writeLinear(), arena, images, labels, order);
    const call = new Int32Array(CALL_FIELDS);
    call[callField.partials] = CONTRIBUTION / 16;
    call[callField.partialFloats] = CONTRIBUTION / 16;
    call[callField.endShard] = 1;
    call[callField.samples] = 64;
    call[callField.progress] = (4 * CONTRIBUTION) / 16;
    const before = arena.slice(0, CONTRIBUTION);
    kernels.contribute(engine, call);
    const ofShard = counted[0] as number;
    expect(ofShard).toBeGreaterThan(2);
    call[callField.firstShard] = 1;
    call[callField.endShard] = 4;
    kernels.contribute(engine, call);
    expect([...counted]).toEqual([4 * ofShard, ...new Array(15).fill(0)]);
    kernels.evaluate(engine, call, new Float32Array(2 * (64 + 4)));
    expect(counted[0]).toBeGreaterThan(4 * ofShard);
    expect(arena.slice(0, CONTRIBUTION)).toEqual(before);
    const end = counted[0];
    call[callField.progress] = 0;
    kernels.contribute(engine, call);
    expect(counted[0]).toBe(end);
  });
});
