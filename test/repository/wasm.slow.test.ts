/** Fetches the pinned zig if it is not there, and builds the WebAssembly modules: minutes, when zig has nothing in its cache. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { buildWasm, WASM_BUILDS, wasmFile } from '../../tools/wasm.mjs';

it.each(Object.keys(WASM_BUILDS))(
  'the sources give lockstep-%s.wasm, byte for byte',
  async (isa) => {
    expect((await buildWasm(isa)).equals(readFileSync(wasmFile(isa)))).toBe(true);
  },
  20 * 60_000,
);
