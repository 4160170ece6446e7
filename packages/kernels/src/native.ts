/** Loads the native kernels: one addon per instruction set, the best that this processor can run. */
import { createRequire } from 'node:module';
import { describeNoBuild, findBuild, ISAS, type Isa } from './builds.js';

/** Memory that an engine reads and writes; float offsets in calls are in units of 16 floats. */
export interface NativeEngine {
  readonly __engine: unique symbol;
}

/** The addon's functions; see packages/kernels/native/binding.cc. */
export interface NativeKernels {
  readonly isa: Isa;
  features(): Isa[];
  createEngine(
    program: Int32Array,
    arena: Float32Array,
    images: Uint8Array,
    labels: Uint8Array,
    order: Int32Array,
  ): NativeEngine;
  /** Computes a range of shards into the partials at the call's place; returns how many. */
  contribute(engine: NativeEngine, call: Int32Array): number;
  /** @param logits takes [samples][classes] */
  evaluate(engine: NativeEngine, call: Int32Array, results: Float32Array, logits?: Float32Array): void;
  update(engine: NativeEngine, block: Float64Array, partials: Int32Array, fold: Int32Array, pieces: Int32Array): void;
  /**
   * Sums of squares of the mean gradient, of the chunks [index, offset, length] that this worker adds up; see native/average.h.
   *
   * @param samples the divisor of the gradient
   * @param rounds whether the sums of partials are rounded to bf16
   * @param sums [chunk index]
   */
  squares(
    engine: NativeEngine,
    samples: number,
    rounds: boolean,
    partials: Int32Array,
    fold: Int32Array,
    chunks: Int32Array,
    sums: Float64Array,
  ): void;
  /** Moves the average of the state on, on the pieces of `update`; the block has `averageField`s. */
  average(engine: NativeEngine, block: Float64Array, pieces: Int32Array): void;
  /**
   * Computes like `contribute`, but neighbouring partials are not merged, and times every op.
   *
   * @returns for each op of the program, in its order: [record, index, nanoseconds over all shards, index of `algorithms`]
   */
  profile(engine: NativeEngine, call: Int32Array): Float64Array;
  /** Index of the first value that is not a finite number; -1 if there is none. */
  findNotFinite(values: Float32Array): number;
  /** Bytes to skip until an address is a multiple of 64. */
  alignment(bytes: Uint8Array): number;
  /** GFLOP/s of independent multiply-adds on the calling thread. */
  fmaPeak(iterations: number): number;
  philox(keyLow: number, keyHigh: number, index: number, lane: number, stream: number, purpose: number): number[];
}

/** How an op computes, by the number that `profile` reports. */
export const algorithms = ['pass', 'direct', 'depthwise', 'winograd', 'product'] as const;
export type Algorithm = (typeof algorithms)[number];
/** Numbers for each op in what `profile` returns, and where they stand. */
export const PROFILE_FIELDS = 4;
export const profileField = { record: 0, index: 1, nanoseconds: 2, algorithm: 3 } as const;

/** Fields of the call block of contribute and evaluate. */
export const callField = {
  state: 0,
  partials: 1,
  partialFloats: 2,
  firstShard: 3,
  endShard: 4,
  samples: 5,
  order: 6,
  seedLow: 7,
  seedHigh: 8,
  step: 9,
  epoch: 10,
  part: 11,
} as const;
export const CALL_FIELDS = 12;

/** What of its range a call of contribute computes; the two parts of a whole in this order. */
export const contributePart = { whole: 0, allButLastStage: 1, lastStage: 2 } as const;

/** Fields of the update block. */
export const updateField = {
  state: 0,
  nextState: 1,
  slot1: 2,
  nextSlot1: 3,
  slot2: 4,
  nextSlot2: 5,
  samples: 6,
  type: 7,
  nesterov: 8,
  learningRate: 9,
  momentum: 10,
  weightDecay: 11,
  beta1: 12,
  oneMinusBeta1: 13,
  beta2: 14,
  oneMinusBeta2: 15,
  stepSize: 16,
  rsqrtCorrection: 17,
  eps: 18,
  decayFactor: 19,
  gradientScale: 20,
  /** 1: sums of gradients are rounded to bf16. */
  rounds: 21,
} as const;
export const UPDATE_FIELDS = 22;

/** Fields of the block of `average`. */
export const averageField = { state: 0, average: 1, nextAverage: 2, decay: 3 } as const;
export const AVERAGE_FIELDS = 4;

/** Floats in a chunk of `squares`, at the most; part of the order of additions. */
export const SQUARES_CHUNK = 4096;

/** What is done with a piece of the reduced contribution: an update, or sums alone, of gradients (rounded, if they are) or not. */
export const pieceKind = { parameters: 0, statistics: 1, sums: 2, gradients: 3 } as const;

const require = createRequire(import.meta.url);
const loaded = new Map<Isa, NativeKernels>();

let available: readonly Isa[] | undefined;
let plainest: Isa | undefined;

/** Names the builds that exist and that this processor can run, best first; looked for once. */
export function availableIsas(): readonly Isa[] {
  if (available === undefined) {
    const usable = loadPlainest().features();
    available = ISAS.filter((isa) => usable.includes(isa) && findBuild(isa));
  }
  return available;
}

/**
 * Loads the kernels: the build named by LOCKSTEP_ISA (for tests), else the best available.
 *
 * @throws Error when no build exists, or the named one is not available
 */
export function loadKernels(isa: string | undefined = process.env['LOCKSTEP_ISA']): NativeKernels {
  const isas = availableIsas();
  const wanted = isa === undefined || isa === '' ? isas[0] : isas.find((name) => name === isa);
  if (!wanted) {
    throw new Error(`no build of the kernels for "${isa}" can run here; available: ${isas.join(', ')}`);
  }
  return load(wanted);
}

/** The build that asks least of the processor: every processor of its platform can run it, and ask it what else runs. */
function loadPlainest(): NativeKernels {
  plainest ??= ISAS.findLast((isa) => findBuild(isa));
  if (plainest === undefined) throw new Error(describeNoBuild());
  return load(plainest);
}

function load(isa: Isa): NativeKernels {
  const known = loaded.get(isa);
  if (known) return known;
  const path = findBuild(isa);
  if (path === undefined) throw new Error(describeNoBuild());
  const kernels = require(path) as NativeKernels;
  loaded.set(isa, kernels);
  return kernels;
}

const LINE_BYTES = 64;

/** A Float32Array over a SharedArrayBuffer that starts at a multiple of 64 bytes. */
export function allocateAligned(floats: number): Float32Array {
  const buffer = new SharedArrayBuffer(4 * floats + LINE_BYTES);
  const skip = loadPlainest().alignment(new Uint8Array(buffer));
  return new Float32Array(buffer, skip, floats);
}
