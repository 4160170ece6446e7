/** A module of WebAssembly's kernels on one thread: its stack, its calls' arguments, and its failures. */
import { fullError, growBy, PAGE_BYTES } from './memory.js';

/** Addresses in the memory. 0: none. */
type Address = number;
/** Address of a text that says what a call was given wrongly; 0: done. */
type Fault = Address;

/** What a module exports; see packages/kernels/wasm/binding.cc. */
interface Exports {
  readonly __stack_pointer: WebAssembly.Global;
  readonly __tls_size: WebAssembly.Global;
  __wasm_init_tls(at: Address): void;
  _initialize(): void;
  markAddress(): Address;
  allocate(bytes: number): Address;
  release(at: Address): void;
  allocateEngine(arena: Address, images: Address, labels: Address, order: Address): Address;
  openProgram(engine: Address, code: Address, length: number): Fault;
  destroyEngine(engine: Address): void;
  runContribute(engine: Address, call: Address, count: Address): Fault;
  runProfile(engine: Address, call: Address, rows: Address): number;
  runEvaluate(
    engine: Address,
    call: Address,
    results: Address,
    resultCount: number,
    logits: Address,
    logitCount: number,
  ): Fault;
  samplesOfShard(engine: Address): number;
  classesOf(engine: Address): number;
  runUpdate(engine: Address, block: Address, ...spans: number[]): void;
  runSquares(engine: Address, samples: number, rounds: number, ...spans: number[]): Fault;
  runAverages(engine: Address, block: Address, pieces: Address, pieceCount: number): void;
  firstNotFinite(values: Address, length: number): number;
  measurePeak(iterations: number): number;
  runPhilox(key: Address, counter: Address, words: Address): void;
  runProbe(a: Address, b: Address, c: Address, out: Address, length: number): void;
}

type NumberArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

const STACK_BYTES = 1 << 20;
/** What arguments are aligned to. */
const ALIGNMENT = 64;
const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

export class WasmThread {
  readonly exports: Exports;
  readonly #stackTop: Address;
  /** Room for the arguments of a call. */
  #arguments: Address = 0;
  #room = 0;
  #used = 0;

  constructor(
    module: WebAssembly.Module,
    private readonly memory: WebAssembly.Memory,
  ) {
    this.exports = new WebAssembly.Instance(module, importsOf(module, memory)).exports as unknown as Exports;
    const stack = growBy(STACK_BYTES + PAGE_BYTES, memory);
    this.#stackTop = stack + STACK_BYTES;
    this.exports.__stack_pointer.value = this.#stackTop;
    this.exports.__wasm_init_tls(this.#stackTop);
  }

  /** Makes room for arguments of so many bytes, over those of the last call. */
  begin(...sizes: readonly number[]): void {
    const bytes = sizes.reduce((sum, size) => sum + align(size), 0);
    this.#used = 0;
    if (bytes <= this.#room) return;
    this.exports.release(this.#arguments);
    this.#room = 0;
    this.#arguments = this.exports.allocate(bytes) >>> 0;
    this.#room = bytes;
  }

  /** Takes the next piece of the room. */
  take(bytes: number): Address {
    const at = this.#arguments + this.#used;
    this.#used += align(bytes);
    return at;
  }

  /** Copies an array to the next piece of the room. */
  put(array: NumberArray): Address {
    const at = this.take(array.byteLength);
    new Uint8Array(this.memory.buffer, at, array.byteLength).set(
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
    );
    return at;
  }

  /** Copies back what a call has left there. */
  read(at: Address, array: NumberArray): void {
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(
      new Uint8Array(this.memory.buffer, at, array.byteLength),
    );
  }

  /** @throws TypeError what the call was given wrongly */
  run(call: () => Fault): void {
    const fault = this.guard(call) >>> 0;
    if (fault !== 0) throw Object.assign(new TypeError(this.#textAt(fault)), { code: 'LOCKSTEP_NATIVE' });
  }

  /** A call that threw has left its stack as it was: the next starts at the top again. */
  guard<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      this.exports.__stack_pointer.value = this.#stackTop;
      throw error;
    }
  }

  multiplyAdd(a: Float32Array, b: Float32Array, c: Float32Array): Float32Array {
    this.begin(...Array<number>(4).fill(a.byteLength));
    const sums = new Float32Array(a.length);
    const [first, second, third, out] = [this.put(a), this.put(b), this.put(c), this.take(sums.byteLength)];
    this.exports.runProbe(first, second, third, out, a.length);
    this.read(out, sums);
    return sums;
  }

  #textAt(at: Address): string {
    const bytes = new Uint8Array(this.memory.buffer, at);
    return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
  }
}

/** What a module calls. WASI's functions are there for the C++ library's last words alone. */
function importsOf(module: WebAssembly.Module, memory: WebAssembly.Memory): object {
  const wasi = WebAssembly.Module.imports(module)
    .filter(({ module: from }) => from.startsWith('wasi'))
    .map(({ name }) => [name, () => failed(name)]);
  return {
    env: { memory },
    lockstep: {
      nanoseconds: () => performance.now() * 1e6,
      fail: (bytes: number) => {
        throw fullError(bytes >>> 0);
      },
    },
    wasi_snapshot_preview1: Object.fromEntries(wasi),
  };
}

function failed(name: string): never {
  throw new WebAssembly.RuntimeError(`the kernels ended by ${name}`);
}
