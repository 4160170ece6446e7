/** The end of a step in native code: fold, optimizer, running statistics; against core, bit by bit where core has bits. */

import { roundToBf16 } from '@lockstep/core/math';
import {
  ALIGNMENT,
  canonicalPartials,
  foldStep,
  type OptimizerScalars,
  optimizerScalars,
  optimizerSlots,
  planFold,
  reduceCanonically,
  roundPartial,
  type ShardRange,
  updateParameters,
} from '@lockstep/core/run';
import { type Optimizer, optimizerSchema } from '@lockstep/core/spec';
import {
  allocateAligned,
  availableIsas,
  loadKernels,
  type NativeEngine as NativeHandle,
  ProgramBuilder,
  pieceKind,
  place,
  UPDATE_FIELDS,
  updateField,
} from '@lockstep/kernels';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomValues, uniforms } from '../reference/random-values.js';
import { type CountedStatistics, combineShards, updateRunning } from '../reference/running-statistics.js';
import { bytesOf } from './test-harness.js';

/** More than the kernel takes at once (4096), and no multiple of it. */
const LENGTH = 2 * 4096 + 3 * ALIGNMENT;
const UNITS = LENGTH / ALIGNMENT;
/** Vectors of the arena: state, slot 1 and slot 2 twice each, then the partials. */
const PARTIALS_AT = 6;

type Name = keyof typeof updateField;

/** An arena of vectors and a handle that works on it. */
function prepareArena(isa: string, partialCount: number) {
  const kernels = loadKernels(isa);
  const arena = allocateAligned((PARTIALS_AT + partialCount) * LENGTH, kernels.memory);
  const program = new ProgramBuilder(1, 1).finish(0);
  const bytes = place(new Uint8Array(1), kernels.memory);
  const handle = kernels.createEngine(program, arena, bytes, bytes, place(new Int32Array(1), kernels.memory));
  const vector = (index: number): Float32Array => arena.subarray(index * LENGTH, (index + 1) * LENGTH);
  return { kernels, handle: handle as NativeHandle, vector };
}

const partialOffsets = (count: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => (PARTIALS_AT + i) * UNITS);

/** A block for version `now` of state and slots, which stand at vectors 0 1, 2 3 and 4 5. */
function blockOf(now: number, samples: number, scalars?: OptimizerScalars, gradientScale = 1): Float64Array {
  const block = new Float64Array(UPDATE_FIELDS);
  const set = (name: Name, value: number): void => {
    block[updateField[name]] = value;
  };
  const next = 1 - now;
  const places = {
    state: now,
    nextState: next,
    slot1: 2 + now,
    nextSlot1: 2 + next,
    slot2: 4 + now,
    nextSlot2: 4 + next,
  };
  for (const [name, vector] of Object.entries(places)) set(name as Name, vector * UNITS);
  set('samples', samples);
  set('gradientScale', gradientScale);
  if (!scalars) return block;
  for (const [name, value] of Object.entries(scalars)) {
    if (name !== 'type') set(name as Name, Number(value));
  }
  set('type', ['sgd', 'adam', 'adamw'].indexOf(scalars.type));
  return block;
}

const wordOf = (values: Float32Array, index: number): number =>
  new Uint32Array(values.buffer, values.byteOffset, values.length)[index] as number;

/** Slices of the parameters, as several workers hold them. */
const SLICES = [
  [pieceKind.parameters, 0, 4096 + 32, 0],
  [pieceKind.parameters, 4096 + 32, 16, 0],
  [pieceKind.parameters, 4096 + 48, LENGTH - 4096 - 48, 0],
];

const optimizers: [string, object][] = [
  ['sgd', { type: 'sgd' }],
  ['sgd with weight decay', { type: 'sgd', weightDecay: 1e-2 }],
  ['sgd with momentum', { type: 'sgd', momentum: 0.9 }],
  ['sgd with Nesterov momentum and weight decay', { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 1e-4 }],
  ['adam', { type: 'adam' }],
  ['adam with weight decay', { type: 'adam', weightDecay: 1e-2, betas: [0.8, 0.99], eps: 1e-6 }],
  ['adamw', { type: 'adamw' }],
  ['adamw without decay', { type: 'adamw', weightDecay: 0 }],
];

/** A vector with zeros, huge and tiny values among the usual. */
function drawVector(seed: number): Float32Array {
  const next = uniforms(seed);
  const values = randomValues(LENGTH, seed);
  const scales = [0, 1e-38, 1e-20, 1e10];
  return Float32Array.from(values, (v) => (next() < 0.1 ? v * (scales[Math.floor(next() * 4)] as number) : v));
}

describe.each(availableIsas())('update (%s)', (isa) => {
  it.each(optimizers)("by %s: core's bits, over four steps", (_, spec) => {
    const optimizer: Optimizer = optimizerSchema.parse(spec);
    const slots = optimizerSlots(optimizer);
    const { kernels, handle, vector } = prepareArena(isa, 1);
    vector(0).set(drawVector(1));
    let current = {
      parameters: vector(0).slice(),
      slots: Array.from({ length: slots }, () => new Float32Array(LENGTH)),
    };
    for (let step = 0; step < 4; step++) {
      const [now, samples] = [step % 2, step === 3 ? 37 : 128];
      const sum = drawVector(100 + step);
      vector(PARTIALS_AT).set(sum);
      const scalars = optimizerScalars(optimizer, 0.05 / (step + 1), step + 1);
      for (const slice of SLICES) {
        kernels.update(
          handle,
          blockOf(now, samples, scalars),
          partialOffsets(1),
          Int32Array.of(foldStep.push),
          Int32Array.from(slice),
        );
      }
      const next = { parameters: new Float32Array(LENGTH), slots: current.slots.map(() => new Float32Array(LENGTH)) };
      updateParameters(
        scalars,
        sum.map((v) => Math.fround(v / samples)),
        current,
        next,
      );
      expect(bytesOf(vector(1 - now)).equals(bytesOf(next.parameters)), `parameters of step ${step}`).toBe(true);
      for (const [i, slot] of next.slots.entries()) {
        expect(bytesOf(vector(2 + 2 * i + 1 - now)).equals(bytesOf(slot)), `slot ${i} of step ${step}`).toBe(true);
      }
      expect(bytesOf(vector(now)).equals(bytesOf(current.parameters)), `version t of step ${step} is left alone`).toBe(
        true,
      );
      current = next;
    }
  });

  it('touches no slot where momentum is 0', () => {
    const { kernels, handle, vector } = prepareArena(isa, 1);
    for (const index of [2, 3, 4, 5]) vector(index).fill(7);
    const scalars = optimizerScalars(optimizerSchema.parse({ type: 'sgd' }), 0.1, 1);
    kernels.update(
      handle,
      blockOf(0, 1, scalars),
      partialOffsets(1),
      Int32Array.of(foldStep.push),
      Int32Array.from(SLICES.flat()),
    );
    for (const index of [2, 3, 4, 5]) expect(vector(index).every((value) => value === 7)).toBe(true);
  });

  it('scales the mean gradient by the clipping factor, rounded', () => {
    const { kernels, handle, vector } = prepareArena(isa, 1);
    const [state, sum, scale] = [drawVector(1), drawVector(2), Math.fround(0.3)];
    vector(0).set(state);
    vector(PARTIALS_AT).set(sum);
    const scalars = optimizerScalars(optimizerSchema.parse({ type: 'sgd', weightDecay: 0.01 }), 0.1, 1);
    const pieces = Int32Array.from(SLICES.flat());
    kernels.update(handle, blockOf(0, 48, scalars, scale), partialOffsets(1), Int32Array.of(foldStep.push), pieces);
    const next = { parameters: new Float32Array(LENGTH), slots: [] };
    const gradient = sum.map((v) => Math.fround(Math.fround(v / 48) * scale));
    updateParameters(scalars, gradient, { parameters: state, slots: [] }, next);
    expect(bytesOf(vector(1)).equals(bytesOf(next.parameters))).toBe(true);
  });

  it('adds up the partials of any deal in the canonical order', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(cuts, fc.nat(), (lengths, seed) => {
        const ends = lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b));
        const ranges = ends.map((end, i): ShardRange => ({ begin: ends[i - 1] ?? 0, end }));
        const end = ends.at(-1) as number;
        const shards = Array.from({ length: end }, (_, i) => Float32Array.from(randomValues(LENGTH, seed + i)));
        const partials = ranges.flatMap(canonicalPartials);
        const { kernels, handle, vector } = prepareArena(isa, partials.length);
        for (const [i, partial] of partials.entries()) {
          vector(PARTIALS_AT + i).set(reduceCanonically(shards.slice(partial.begin, partial.end)));
        }
        const fold = Int32Array.from(planFold(partials));
        kernels.update(
          handle,
          blockOf(0, 1),
          partialOffsets(partials.length),
          fold,
          Int32Array.of(pieceKind.sums, 0, LENGTH, 0),
        );
        expect(bytesOf(vector(1)).equals(bytesOf(reduceCanonically(shards)))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it("rounds sums of gradients to bf16: core's bits, whatever is added", () => {
    // any bits: subnormal numbers, infinities, NaN, sums that are too large
    const word = fc.oneof(
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.constantFrom(
        0,
        0x8000_0000,
        1,
        0x8000,
        0x18000,
        0x007f_ffff,
        0x7f7f_ffff,
        0x7f80_0000,
        0xff80_0000,
        0x7f80_0001,
      ),
    );
    const vector = fc.array(word, { minLength: 80, maxLength: 80 });
    fc.assert(
      fc.property(fc.array(vector, { minLength: 1, maxLength: 5 }), (words) => {
        const shards = words.map((bits) => new Float32Array(Uint32Array.from(bits).buffer));
        const gradients = [{ begin: 0, end: 48 }];
        const { kernels, handle, vector: at } = prepareArena(isa, shards.length);
        shards.forEach((shard, i) => {
          at(PARTIALS_AT + i).set(shard);
          roundPartial(at(PARTIALS_AT + i), gradients);
        });
        const fold = Int32Array.from(planFold(shards.map((_, i) => ({ begin: i, end: i + 1 }))));
        const pieces = [pieceKind.gradients, 0, 48, 0, pieceKind.sums, 48, 16, 0];
        const block = blockOf(0, 1);
        block[updateField.rounds] = 1;
        kernels.update(handle, block, partialOffsets(shards.length), fold, Int32Array.from(pieces));
        const expected = reduceCanonically(shards, gradients);
        // a NaN that is not rounded may have any payload
        const isSame = (value: number, i: number): boolean =>
          i < 48 ? wordOf(at(1), i) === wordOf(expected, i) : Object.is(value, expected[i]);
        expect([...at(1).subarray(0, 64)].map(isSame)).toEqual(Array(64).fill(true));
      }),
      { numRuns: 200 },
    );
  });

  it('rounds them for the update and for the norm alike', () => {
    const { kernels, handle, vector } = prepareArena(isa, 3);
    const shards = [1, 2, 3].map((seed) => {
      const shard = Float32Array.from(randomValues(LENGTH, seed));
      roundToBf16(shard);
      return shard;
    });
    for (const [i, shard] of shards.entries()) vector(PARTIALS_AT + i).set(shard);
    const fold = Int32Array.from(planFold([0, 1, 2].map((i) => ({ begin: i, end: i + 1 }))));
    const sum = reduceCanonically(shards, [{ begin: 0, end: LENGTH }]);
    const scalars = optimizerScalars(optimizerSchema.parse({ type: 'sgd' }), 1, 1);
    const block = blockOf(0, 1, scalars);
    block[updateField.rounds] = 1;
    kernels.update(handle, block, partialOffsets(3), fold, Int32Array.of(pieceKind.parameters, 0, LENGTH, 0));
    expect(bytesOf(vector(1)).equals(bytesOf(sum.map((value) => 0 - value)))).toBe(true);
    const [rounded, single] = [new Float64Array(1), new Float64Array(1)];
    kernels.squares(handle, 48, true, partialOffsets(3), fold, Int32Array.of(0, 0, 4096), rounded);
    vector(PARTIALS_AT).set(sum);
    kernels.squares(
      handle,
      48,
      false,
      partialOffsets(1),
      Int32Array.of(foldStep.push),
      Int32Array.of(0, 0, 4096),
      single,
    );
    expect(rounded).toEqual(single);
  });

  it('adds up the squares of the mean gradient in eight lanes of doubles', () => {
    const { kernels, handle, vector } = prepareArena(isa, 1);
    const sum = Float32Array.from(randomValues(LENGTH, 3));
    vector(PARTIALS_AT).set(sum);
    for (const [offset, length] of [
      [0, 4096],
      [4096, 4096],
      [32, 1],
      [48, 13],
      [64, 100],
    ] as const) {
      const sums = new Float64Array(3).fill(-1);
      const chunks = Int32Array.of(1, offset, length);
      kernels.squares(handle, 48, false, partialOffsets(1), Int32Array.of(foldStep.push), chunks, sums);
      const lanes = new Float64Array(8);
      for (let i = 0; i < length; i++) {
        lanes[i % 8] = (lanes[i % 8] as number) + Math.fround((sum[offset + i] as number) / 48) ** 2;
      }
      expect([...sums]).toEqual([-1, lanes.reduce((a, b) => a + b, 0), -1]);
    }
  });

  it('moves the average of the state: decay * average + (1 - decay) * state, each rounded', () => {
    const { kernels, handle, vector } = prepareArena(isa, 0);
    const [state, average, decay] = [drawVector(1), drawVector(2), 0.99];
    vector(0).set(state);
    vector(2).set(average);
    const at = 4096 + 48;
    const pieces = [...SLICES.slice(0, 2).flat(), pieceKind.statistics, at, 7, 1, pieceKind.sums, at + 32, 16, 0];
    const block = Float64Array.of(0, 2 * UNITS, 3 * UNITS, decay);
    kernels.average(handle, block, Int32Array.from(pieces));
    const f = Math.fround;
    const expected = state.map((v, i) => f(f(f(decay) * (average[i] as number)) + f(f(1 - decay) * v)));
    // means and variances, 2 * 7 floats; nothing behind them, and no sums
    expected.fill(0, at + 14);
    expect(bytesOf(vector(3)).equals(bytesOf(expected))).toBe(true);
  });

  it('moves running statistics to those of the whole batch, to 1e-6', () => {
    const draw = fc.record({
      channels: fc.integer({ min: 1, max: 40 }),
      valuesPerSample: fc.integer({ min: 1, max: 9 }),
      samples: fc.array(fc.integer({ min: 1, max: 16 }), { minLength: 1, maxLength: 5 }),
      offset: fc.constantFrom(-3, 0, 20),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(draw, ({ channels, valuesPerSample, samples, offset, seed }) => {
        const { kernels, handle, vector } = prepareArena(isa, 1);
        const running = randomValues(channels, seed, offset - 0.5, offset + 0.5);
        const runningVariance = randomValues(channels, seed + 1, 0.5, 1.5);
        const at = 5 * ALIGNMENT;
        vector(0).set(running, at);
        vector(0).set(runningVariance, at + channels);
        const shards = samples.map(
          (count, i): CountedStatistics => ({
            count: count * valuesPerSample,
            mean: randomValues(channels, seed + 10 + i, offset - 2, offset + 2),
            variance: randomValues(channels, seed + 20 + i, 0, 4),
          }),
        );
        const contributions = shards.map((shard) => statisticsOf(shard, running));
        vector(PARTIALS_AT).set(reduceCanonically(contributions), at);
        const sampleCount = samples.reduce((a, b) => a + b);
        const pieces = Int32Array.of(pieceKind.statistics, at, channels, valuesPerSample);
        kernels.update(handle, blockOf(0, sampleCount), partialOffsets(1), Int32Array.of(foldStep.push), pieces);
        const batch = combineShards(shards);
        const expected = [
          ...updateRunning(running, batch.mean),
          ...updateRunning(runningVariance, batch.unbiasedVariance),
        ];
        const actual = vector(1).subarray(at, at + 2 * channels);
        expected.forEach((value, i) => {
          expect(Math.abs((actual[i] as number) - value) / Math.max(1, Math.abs(value))).toBeLessThan(1e-6);
        });
      }),
      { numRuns: 100 },
    );
  });
});

/** A shard's part of a contribution: [n d][n d^2][n variance], d = mean - running mean. */
function statisticsOf({ count, mean, variance }: CountedStatistics, running: Float64Array): Float32Array {
  const d = mean.map((m, c) => m - (running[c] as number));
  return Float32Array.from([
    ...d.map((v) => count * v),
    ...d.map((v) => count * v * v),
    ...variance.map((v) => count * v),
  ]);
}
