/** An engine of the kernels for tests that need no data. */
import { allocateAligned, loadKernels, place } from './load.js';

/** @param floats of the arena */
export function createTestEngine(program: Int32Array, isa?: string, floats = 16) {
  const kernels = loadKernels(isa);
  const arena = allocateAligned(floats, kernels.memory);
  const bytes = place(new Uint8Array(16), kernels.memory);
  const engine = kernels.createEngine(program, arena, bytes, bytes, place(new Int32Array(16), kernels.memory));
  return { kernels, arena, engine };
}
