/** The WebAssembly modules that are kept in the repository are those of its sources. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readSourcesHash, sourcesHash, WASM_BUILDS, wasmFile } from '../../tools/wasm.mjs';

const STALE =
  'the kernels have changed since this module was built: run node tools/wasm.mjs, and commit what it writes';
const MOST_ZIPPED_BYTES = 150_000;

describe.each(Object.keys(WASM_BUILDS))('lockstep-%s.wasm', (isa) => {
  const bytes = readFileSync(wasmFile(isa));

  it('was built from the sources that are here', () => {
    expect(readSourcesHash(bytes), STALE).toBe(sourcesHash(isa));
  });

  it('is small enough to be kept', () => {
    expect(gzipSync(bytes, { level: 9 }).length).toBeLessThan(MOST_ZIPPED_BYTES);
  });
});

it('a module that says nothing of its sources is of none', () => {
  expect(readSourcesHash(Buffer.from('0061736d01000000', 'hex'))).toBeUndefined();
});
