/** WebAssembly's kernels as NativeKernels: arguments are copied into the memory; a node's own arrays lie there already. */

import type { WasmIsa } from '../builds.js';
import {
  AVERAGE_FIELDS,
  CALL_FIELDS,
  callField,
  type NativeEngine,
  type NativeKernels,
  UPDATE_FIELDS,
} from '../calls.js';
import { isInside, type WasmMemory } from './memory.js';
import type { WasmThread } from './thread.js';

/** Floats that are looked through at once for one that is not finite. */
const FINITE_PIECE = 1 << 16;

type Kind = abstract new (...args: never[]) => ArrayBufferView;

export class WasmKernels implements NativeKernels {
  readonly memory: { readonly isa: WasmIsa; readonly wasm: WasmMemory };
  readonly #thread: WasmThread;
  /** Addresses of the engines. */
  readonly #engines = new WeakMap<NativeEngine, number>();
  readonly #gone: FinalizationRegistry<number>;

  /** @param thread of the memory, and of the calling thread */
  constructor(
    readonly isa: WasmIsa,
    wasm: WasmMemory,
    thread: WasmThread,
  ) {
    this.memory = { isa, wasm };
    this.#thread = thread;
    this.#gone = new FinalizationRegistry((at) => thread.exports.destroyEngine(at));
  }

  createEngine(
    program: Int32Array,
    arena: Float32Array,
    images: Uint8Array,
    labels: Uint8Array,
    order: Int32Array,
  ): NativeEngine {
    const kinds = [Int32Array, Float32Array, Uint8Array, Uint8Array, Int32Array];
    expect('createEngine', '(Int32Array, Float32Array, Uint8Array, Uint8Array, Int32Array)', [
      ...[program, arena, images, labels, order].map((array, i) => array instanceof (kinds[i] as Kind)),
    ]);
    const placed = Object.entries({ arena, images, labels, order }).map(([name, array]) => this.#placeOf(array, name));
    const { exports } = this.#thread;
    const [arenaAt, imagesAt, labelsAt, orderAt] = placed as [number, number, number, number];
    return this.#thread.guard(() => {
      const at = exports.allocateEngine(arenaAt, imagesAt, labelsAt, orderAt) >>> 0;
      try {
        this.#thread.begin(program.byteLength);
        this.#thread.run(() => exports.openProgram(at, this.#thread.put(program), program.length));
      } catch (error) {
        exports.destroyEngine(at);
        throw error;
      }
      const engine = Object.freeze({}) as NativeEngine;
      this.#engines.set(engine, at);
      this.#gone.register(engine, at);
      return engine;
    });
  }

  #placeOf(array: ArrayBufferView, name: string): number {
    if (isInside(array, this.memory.wasm)) return array.byteOffset;
    throw new TypeError(`createEngine: the ${name} must lie in the memory of the kernels; place() puts a copy there`);
  }

  contribute(engine: NativeEngine, call: Int32Array): number {
    const at = this.#engines.get(engine);
    expect('contribute', `(engine, Int32Array of ${CALL_FIELDS})`, [
      at,
      call instanceof Int32Array,
      call?.length >= CALL_FIELDS,
    ]);
    const count = new Int32Array(1);
    this.#thread.begin(call.byteLength, count.byteLength);
    const [block, out] = [this.#thread.put(call), this.#thread.take(count.byteLength)];
    this.#thread.run(() => this.#thread.exports.runContribute(at as number, block, out));
    this.#thread.read(out, count);
    return count[0] as number;
  }

  evaluate(engine: NativeEngine, call: Int32Array, results: Float32Array, logits?: Float32Array): void {
    const at = this.#engines.get(engine) as number;
    expect('evaluate', `(engine, Int32Array of ${CALL_FIELDS}, Float32Array)`, [
      at,
      call instanceof Int32Array && call.length >= CALL_FIELDS,
      results instanceof Float32Array,
    ]);
    const { exports } = this.#thread;
    this.#thread.begin(call.byteLength, results.byteLength, logits?.byteLength ?? 0);
    const block = this.#thread.put(call);
    const resultsAt = this.#thread.take(results.byteLength);
    const logitsAt = logits ? this.#thread.take(logits.byteLength) : 0;
    this.#thread.run(() => exports.runEvaluate(at, block, resultsAt, results.length, logitsAt, logits?.length ?? 0));
    // Other threads write other samples and shards of the same results.
    const [samples, first, end] = [callField.samples, callField.firstShard, callField.endShard].map(
      (field) => call[field] as number,
    ) as [number, number, number];
    const samplesOfShard = exports.samplesOfShard(at);
    const [from, to] = [first * samplesOfShard, Math.min(samples, end * samplesOfShard)];
    this.#readPart(resultsAt, results, 2 * from, 2 * to);
    this.#readPart(resultsAt, results, 2 * (samples + first), 2 * (samples + end));
    const classes = exports.classesOf(at);
    if (logits) this.#readPart(logitsAt, logits, classes * from, classes * to);
  }

  #readPart(at: number, array: Float32Array, begin: number, end: number): void {
    if (end > begin) this.#thread.read(at + 4 * begin, array.subarray(begin, end));
  }

  update(engine: NativeEngine, block: Float64Array, partials: Int32Array, fold: Int32Array, pieces: Int32Array): void {
    const at = this.#engines.get(engine);
    expect('update', `(engine, Float64Array of ${UPDATE_FIELDS}, Int32Array, Int32Array, Int32Array)`, [
      at,
      block instanceof Float64Array && block.length >= UPDATE_FIELDS,
      ...[partials, fold, pieces].map((array) => array instanceof Int32Array),
    ]);
    const [blockAt, , ...spans] = this.#putAll([block, partials, fold, pieces]) as [number, number, ...number[]];
    this.#thread.guard(() => this.#thread.exports.runUpdate(at as number, blockAt, ...spans));
  }

  squares(
    engine: NativeEngine,
    samples: number,
    rounds: boolean,
    partials: Int32Array,
    fold: Int32Array,
    chunks: Int32Array,
    sums: Float64Array,
  ): void {
    const at = this.#engines.get(engine);
    expect('squares', '(engine, number, boolean, Int32Array, Int32Array, Int32Array, Float64Array)', [
      at,
      ...[partials, fold, chunks].map((array) => array instanceof Int32Array),
      sums instanceof Float64Array,
    ]);
    const spans = this.#putAll([partials, fold, chunks, sums]);
    this.#thread.run(() => this.#thread.exports.runSquares(at as number, samples, rounds ? 1 : 0, ...spans));
    // Other threads write other sums.
    for (let i = 0; i + 2 < chunks.length; i += 3) {
      const index = chunks[i] as number;
      this.#thread.read((spans.at(-2) as number) + 8 * index, sums.subarray(index, index + 1));
    }
  }

  average(engine: NativeEngine, block: Float64Array, pieces: Int32Array): void {
    const at = this.#engines.get(engine);
    expect('average', `(engine, Float64Array of ${AVERAGE_FIELDS}, Int32Array)`, [
      at,
      block instanceof Float64Array && block.length >= AVERAGE_FIELDS,
      pieces instanceof Int32Array,
    ]);
    const [blockAt, , piecesAt, count] = this.#putAll([block, pieces]) as [number, number, number, number];
    this.#thread.guard(() => this.#thread.exports.runAverages(at as number, blockAt, piecesAt, count));
  }

  profile(engine: NativeEngine, call: Int32Array): Float64Array {
    const at = this.#engines.get(engine) as number;
    expect('profile', `(engine, Int32Array of ${CALL_FIELDS})`, [
      at,
      call instanceof Int32Array,
      call?.length >= CALL_FIELDS,
    ]);
    const { exports } = this.#thread;
    const [block] = this.#putAll([call]) as [number];
    const rows = new Float64Array(this.#thread.guard(() => exports.runProfile(at, block, 0)));
    this.#thread.begin(rows.byteLength);
    const out = this.#thread.take(rows.byteLength);
    exports.runProfile(at, 0, out);
    this.#thread.read(out, rows);
    return rows;
  }

  findNotFinite(values: Float32Array): number {
    expect('findNotFinite', '(Float32Array)', [values instanceof Float32Array]);
    for (let begin = 0; begin < values.length; begin += FINITE_PIECE) {
      const [at, length] = this.#putAll([values.subarray(begin, begin + FINITE_PIECE)]) as [number, number];
      const index = this.#thread.exports.firstNotFinite(at, length);
      if (index >= 0) return begin + index;
    }
    return -1;
  }

  fmaPeak(iterations: number): number {
    return this.#thread.exports.measurePeak(iterations);
  }

  philox(keyLow: number, keyHigh: number, ...counter: number[]): number[] {
    const words = new Uint32Array(4);
    const arrays = [Uint32Array.of(keyLow, keyHigh), Uint32Array.from(counter), words];
    const [key, , counterAt, , out] = this.#putAll(arrays) as [number, number, number, number, number];
    this.#thread.exports.runPhilox(key, counterAt, out);
    this.#thread.read(out, words);
    return [...words];
  }

  /** Copies arrays into the memory: [address, length] of each. */
  #putAll(arrays: readonly Parameters<WasmThread['put']>[0][]): number[] {
    this.#thread.begin(...arrays.map((array) => array.byteLength));
    return arrays.flatMap((array) => [this.#thread.put(array), array.length]);
  }
}

/** @throws TypeError as the addons do */
function expect(call: string, what: string, holds: readonly unknown[]): void {
  if (holds.every((it) => it !== undefined && it !== false)) return;
  throw Object.assign(new TypeError(`${call} expects ${what}`), { code: 'LOCKSTEP_NATIVE' });
}
