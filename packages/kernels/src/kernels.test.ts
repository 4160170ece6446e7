import { afterEach, describe, expect, it, vi } from 'vitest';
import { ISAS } from './builds.js';
import { CALL_FIELDS, UPDATE_FIELDS } from './calls.js';
import { allocateAligned, availableIsas, loadKernels, place } from './load.js';
import { ProgramBuilder } from './program.js';
import { createTestEngine } from './test-engine.js';

const EMPTY = new ProgramBuilder(1, 1).finish(0);

describe('loading', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('names the builds best first, an exact one always among them', () => {
    const isas = availableIsas();
    expect(isas).toContain('wasm-exact');
    expect(isas).toEqual(ISAS.filter((isa) => isas.includes(isa)));
  });

  it.each(availableIsas())('gives the %s build when asked for it', (isa) => {
    expect(loadKernels(isa).isa).toBe(isa);
  });

  it('gives the best build unless LOCKSTEP_ISA names another', () => {
    vi.stubEnv('LOCKSTEP_ISA', '');
    expect(loadKernels().isa).toBe(availableIsas()[0]);
    vi.stubEnv('LOCKSTEP_ISA', 'wasm-exact');
    expect(loadKernels().isa).toBe('wasm-exact');
  });

  it('refuses a build that is not there, and names those that are', () => {
    const available = availableIsas().join(', ');
    const other = ISAS.find((isa) => !availableIsas().includes(isa)) as string;
    expect(() => loadKernels(other)).toThrow(
      `no build of the kernels for "${other}" can run here; available: ${available}`,
    );
  });

  it.each(['portable', 'sse9'])(
    'cases: issue 26: refuses %s, a build that there is none of, and says what runs everywhere',
    (name) => {
      const available = availableIsas().join(', ');
      expect(() => loadKernels(name)).toThrow(
        expect.objectContaining({
          code: 'LOCKSTEP_KERNELS',
          message: `no build of the kernels is called "${name}"; available: ${available}; wasm runs everywhere`,
        }),
      );
    },
  );
});

describe.each(availableIsas())('the kernels (%s)', (isa) => {
  const kernels = loadKernels(isa);
  const arena = allocateAligned(16, kernels.memory);

  it('draws the words of the Philox4x32-10 test vectors', () => {
    // Random123 1.14, tests/kat_vectors: counter, key, output. Arguments: key, then the counter.
    expect(kernels.philox(0, 0, 0, 0, 0, 0)).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    const ones = 0xffffffff;
    expect(kernels.philox(ones, ones, ones, ones, ones, ones)).toEqual([
      0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd,
    ]);
    expect(kernels.philox(0xa4093822, 0x299f31d0, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344)).toEqual([
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
    ]);
  });

  it('measures a positive and finite peak', () => {
    const gflops = kernels.fmaPeak(1000);
    expect(gflops).toBeGreaterThan(0);
    expect(Number.isFinite(gflops)).toBe(true);
  });

  it('allocates memory that an engine takes as its arena', () => {
    for (const floats of [0, 1, 16, 1000]) {
      const { arena } = createTestEngine(EMPTY, isa, floats);
      expect(arena).toHaveLength(floats);
      expect(arena.buffer).toBeInstanceOf(SharedArrayBuffer);
    }
  });

  it('refuses an arena that is not aligned', () => {
    const shifted = allocateAligned(64, kernels.memory).subarray(1);
    const bytes = place(new Uint8Array(16), kernels.memory);
    const order = place(new Int32Array(16), kernels.memory);
    const create = () => kernels.createEngine(EMPTY, shifted, bytes, bytes, order);
    expect(create).toThrow('the arena is not aligned to 64 bytes');
  });

  it.each<[string, unknown[]]>([
    ['no arguments', []],
    ['no order', [EMPTY, arena, new Uint8Array(1), new Uint8Array(1)]],
    ['an array for the program', [[1, 2, 3], arena, new Uint8Array(1), new Uint8Array(1), new Int32Array(1)]],
    ['doubles for the arena', [EMPTY, new Float64Array(16), new Uint8Array(1), new Uint8Array(1), new Int32Array(1)]],
    [
      '16-bit integers for the program',
      [new Int16Array(6), arena, new Uint8Array(1), new Uint8Array(1), new Int32Array(1)],
    ],
    ['floats for the program', [new Float32Array(6), arena, new Uint8Array(1), new Uint8Array(1), new Int32Array(1)]],
    ['integers for the arena', [EMPTY, new Int32Array(16), new Uint8Array(1), new Uint8Array(1), new Int32Array(1)]],
    ['floats for the images', [EMPTY, arena, new Float32Array(1), new Uint8Array(1), new Int32Array(1)]],
    ['undefined for the labels', [EMPTY, arena, new Uint8Array(1), undefined, new Int32Array(1)]],
  ])('refuses to create an engine from %s', (_, values) => {
    expect(() => Reflect.apply(kernels.createEngine, kernels, values)).toThrow(
      'createEngine expects (Int32Array, Float32Array, Uint8Array, Uint8Array, Int32Array)',
    );
  });

  it('refuses calls without an engine, or with blocks that are too short', () => {
    const { engine } = createTestEngine(EMPTY, isa);
    const call = new Int32Array(CALL_FIELDS);
    const none = new Int32Array(0);
    const contribute = 'contribute expects (engine, Int32Array of 13)';
    expect(() => kernels.contribute({} as never, call)).toThrow(contribute);
    expect(() => kernels.contribute(engine, call.subarray(1))).toThrow(contribute);
    expect(() => kernels.evaluate(engine, call.subarray(1), new Float32Array(9))).toThrow('evaluate expects');
    const block = new Float64Array(UPDATE_FIELDS - 1);
    expect(() => kernels.update(engine, block, none, none, none)).toThrow('update expects (engine, Float64Array of');
  });

  it('refuses results without room for every sample and shard', () => {
    const { engine } = createTestEngine(EMPTY, isa);
    const call = new Int32Array(CALL_FIELDS);
    // 17 samples are two shards: 2 * (17 + 2) floats
    call[5] = 17;
    expect(() => kernels.evaluate(engine, call, new Float32Array(37))).toThrow('evaluate: results are too short');
    expect(() => kernels.evaluate(engine, call, new Float32Array(38))).not.toThrow();
  });
});
