/** What the kernels can be asked, whichever build of them answers: calls, and the fields of their arguments. */
import type { Isa } from './builds.js';

/** A program and the memory that it reads and writes; float offsets in calls are in units of 16 floats. */
export interface NativeEngine {
  readonly __engine: unique symbol;
}

/** Memory that the threads of a node share: which build of the kernels works on it, and what a thread needs for that. Can be posted. */
export interface KernelMemory {
  readonly isa: Isa;
  /** Of WebAssembly's kernels. */
  readonly wasm?: object;
}

/** One build of the kernels on one thread; see packages/kernels/native/calls.h. */
export interface NativeKernels {
  readonly isa: Isa;
  /** Where the arrays of its engines lie. */
  readonly memory: KernelMemory;
  /** @param arena and the others: in `memory`, by `allocateAligned` or `place` */
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
  /** Where a uint32 of the calling thread's own grows by one with each op of a shard or a wave; 0: nobody wants to know. */
  progress: 12,
} as const;
export const CALL_FIELDS = 13;

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
