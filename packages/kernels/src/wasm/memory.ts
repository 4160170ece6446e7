/**
 * One WebAssembly memory, shared by the threads of a node: WebAssembly's kernels reach nothing else.
 *
 *   [ the module's data | pages of whoever grew the memory: an arena, a dataset, a thread's stack, a thread's heap, ... ]
 *
 * Growing it is the only way to get a piece of it, and needs no lock: the new pages belong to who asked. Nothing is ever
 * given back; a node's memory goes with the node.
 */

/** What a thread needs to work on a memory; can be posted. */
export interface WasmMemory {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Where the memory's mark stands. */
  readonly markAt: number;
}

export const PAGE_BYTES = 65_536;
/** Of the module's own data, at the start; tools/wasm.mjs links it for no more. */
const INITIAL_PAGES = 32;
/** 4 GB less a page: what a 32-bit address can say, and what the modules were linked for. */
const MAXIMUM_PAGES = 65_535;

/** A new memory, with nothing in it. */
export function createMemory(): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES, shared: true });
  } catch (error) {
    throw memoryError(`no memory could be reserved for the WebAssembly kernels: ${(error as Error).message}`);
  }
}

/** Takes zeroed pages of a memory; returns their address. */
export function growBy(bytes: number, memory: WebAssembly.Memory): number {
  try {
    return memory.grow(Math.ceil(bytes / PAGE_BYTES)) * PAGE_BYTES;
  } catch {
    throw fullError(bytes);
  }
}

/** That the memory has no room for so many bytes more. */
export function fullError(bytes: number): Error {
  const megabytes = Math.ceil(bytes / 1e6);
  return memoryError(
    `the WebAssembly kernels need ${megabytes} MB more, and have 4 GB at the most, or the system has no more to give. The native kernels have no such limit (--kernels native); a smaller --batch-size or fewer --workers need less`,
  );
}

const memoryError = (text: string): Error => Object.assign(new Error(text), { code: 'LOCKSTEP_WASM_MEMORY' });

/** Gives a new memory a mark of its own. */
export function markMemory(memory: WebAssembly.Memory, markAt: number): void {
  crypto.getRandomValues(new Uint8Array(8)).forEach((byte, i) => {
    new Uint8Array(memory.buffer, markAt, 8)[i] = byte;
  });
}

/**
 * Whether an array lies in a memory. The buffers cannot be compared: a memory has another one after each growth, and in
 * each thread. Its mark can.
 */
export function isInside({ buffer }: ArrayBufferView, { memory, markAt }: WasmMemory): boolean {
  if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength < markAt + 8) return false;
  const [ours, theirs] = [memory.buffer, buffer].map((it) => new Uint8Array(it, markAt, 8));
  return (ours as Uint8Array).every((byte, i) => byte === theirs?.[i]);
}
