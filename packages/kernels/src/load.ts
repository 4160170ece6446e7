/** Chooses a build of the kernels and loads it: the best that this processor, or this JavaScript engine, can run. */
import { hasAddon, loadAddon } from './addons.js';
import { describeNoBuild, ISAS, type Isa, isWasm, kernelsError } from './builds.js';
import type { KernelMemory, NativeKernels } from './calls.js';
import { WasmKernels } from './wasm/kernels.js';
import { growBy, isInside, type WasmMemory } from './wasm/memory.js';
import { canRunWasm, openWasm } from './wasm/module.js';
import { WasmThread } from './wasm/thread.js';

/** Which builds may be taken: the best of all, of those compiled on this machine, or of those for every machine. */
export type KernelChoice = 'auto' | 'native' | 'wasm';

const canRun = (isa: Isa): boolean => (isWasm(isa) ? canRunWasm(isa) : hasAddon(isa));

/** Names the builds that can run here, best first. */
export const availableIsas = (): Isa[] => ISAS.filter(canRun);

/**
 * The best build that can run here, of those that are chosen.
 *
 * @param asked a build by its name, `wasm` for the better of WebAssembly's, or empty; default: LOCKSTEP_ISA (for tests)
 * @throws Error LOCKSTEP_KERNELS when there is none
 */
export function findIsa(choice: KernelChoice = 'auto', asked: string = process.env['LOCKSTEP_ISA'] ?? ''): Isa {
  const isChosen = (isa: Isa): boolean => choice === 'auto' || isWasm(isa) === (choice === 'wasm');
  const isAsked = (isa: Isa): boolean => asked === '' || isa === asked || (asked === 'wasm' && isWasm(isa));
  const found = ISAS.find((isa) => isChosen(isa) && isAsked(isa) && canRun(isa));
  if (found) return found;
  const available = availableIsas().join(', ');
  if (available === '') throw kernelsError(describeNoBuild());
  const kind = choice === 'auto' ? 'build' : `${choice} build`;
  const of = asked === '' ? '' : ` for "${asked}"`;
  const isName = asked === '' || ISAS.some((isa) => isa === asked);
  const text = isName
    ? `no ${kind} of the kernels${of} can run here; available: ${available}`
    : `no ${kind} of the kernels is called "${asked}"; available: ${available}; wasm runs everywhere`;
  throw kernelsError(text);
}

/** New memory for the threads of a node, and which build works on it. */
export function openMemory(isa: Isa): KernelMemory {
  if (!isWasm(isa)) return { isa };
  const { wasm, thread } = openWasm(isa);
  const kernels = new WasmKernels(isa, wasm, thread);
  opened.set(kernels.memory, kernels);
  return kernels.memory;
}

const LINE_BYTES = 64;

/**
 * Zeros over shared memory that start at a multiple of 64 bytes.
 *
 * @throws Error LOCKSTEP_WASM_MEMORY when WebAssembly cannot hold so much
 */
export function allocateAligned(floats: number, memory: KernelMemory): Float32Array {
  return new Float32Array(...allocate(4 * floats, memory), floats);
}

function allocate(bytes: number, { isa, wasm }: KernelMemory): [SharedArrayBuffer, number] {
  if (wasm) {
    const { memory } = wasm as WasmMemory;
    const at = growBy(bytes, memory);
    return [memory.buffer, at];
  }
  const buffer = new SharedArrayBuffer(bytes + LINE_BYTES);
  return [buffer, loadAddon(isa).alignment(new Uint8Array(buffer))];
}

/** The array itself where the kernels reach it, else a copy there: what is written to one is not seen in the other. */
export function place<T extends Uint8Array | Int32Array>(array: T, memory: KernelMemory): T {
  const wasm = memory.wasm as WasmMemory | undefined;
  if (!wasm || isInside(array, wasm)) return array;
  const [buffer, at] = allocate(array.byteLength, memory);
  const kind = array.constructor as new (buffer: SharedArrayBuffer, at: number, length: number) => T;
  const copy = new kind(buffer, at, array.length);
  copy.set(array);
  return copy;
}

/** Of this thread. */
const opened = new WeakMap<KernelMemory, NativeKernels>();
const plain = new Map<Isa, NativeKernels>();

/**
 * The kernels on the calling thread: those that work on a memory, which another thread may have opened; or a build with a
 * memory of this thread's own.
 *
 * @param what a memory, or as `findIsa` has it
 * @throws Error when no build can run here, or the named one cannot
 */
export function loadKernels(what?: KernelMemory | string): NativeKernels {
  if (typeof what === 'object') return kernelsOn(what);
  const isa = findIsa('auto', what);
  const known = plain.get(isa) ?? kernelsOn(openMemory(isa));
  plain.set(isa, known);
  return known;
}

function kernelsOn(memory: KernelMemory): NativeKernels {
  const known = opened.get(memory);
  if (known) return known;
  const kernels = isWasm(memory.isa)
    ? joinWasm(memory.isa, memory.wasm as WasmMemory)
    : { ...loadAddon(memory.isa), memory };
  opened.set(memory, kernels);
  return kernels;
}

const joinWasm = (isa: WasmKernels['isa'], wasm: WasmMemory): WasmKernels =>
  new WasmKernels(isa, wasm, new WasmThread(wasm.module, wasm.memory));
