/** What is WebAssembly's own: its memory, its multiply-add, its failures. What all kernels do is in ../kernels.test.ts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWasm } from '../builds.js';
import { CALL_FIELDS } from '../calls.js';
import { allocateAligned, availableIsas, loadKernels, openMemory, place } from '../load.js';
import { ProgramBuilder } from '../program.js';
import { growBy, PAGE_BYTES } from './memory.js';
import { openWasm } from './module.js';
import { exactMultiplyAdd } from './test-rounding.js';

const EMPTY = new ProgramBuilder(1, 1).finish(0);
const isas = availableIsas().filter(isWasm);

it('are two builds, of which the exact one runs everywhere', () => {
  expect(isas).toContain('wasm-exact');
});

/** Bits that are likely to lie near a tie, near zero and near what a float can hold, beside any. */
const finiteBits = fc.oneof(
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.integer({ min: 0x3f7ffff0, max: 0x3f800010 }),
  fc.integer({ min: 0x1a000000, max: 0x1a000002 }),
  fc.constantFrom(0, 0x80000000, 1, 0x80000001, 0x7f7fffff, 0xff7fffff, 0x3f800800, 0x33000000, 0x00800000),
);
const bits = finiteBits.filter((word) => (word & 0x7f800000) !== 0x7f800000);

describe.each(isas)('the kernels of %s', (isa) => {
  it('round every multiply-add once', () => {
    const { thread } = openWasm(isa);
    const column = (rows: readonly (readonly number[])[], k: number): Float32Array =>
      new Float32Array(Uint32Array.from(rows, (row) => row[k] as number).buffer);
    const quad = fc.array(fc.tuple(bits, bits, bits), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(quad, (rows) => {
        const sums = thread.multiplyAdd(column(rows, 0), column(rows, 1), column(rows, 2));
        expect([...new Uint32Array(sums.buffer)]).toEqual(rows.map(([a, b, c]) => exactMultiplyAdd(a, b, c)));
      }),
      { numRuns: 3000 },
    );
  });

  it('take no arrays from outside of their memory, nor from another one', () => {
    const kernels = loadKernels(openMemory(isa));
    const other = openMemory(isa);
    const arena = allocateAligned(16, kernels.memory);
    const bytes = place(new Uint8Array(16), kernels.memory);
    const order = place(new Int32Array(16), kernels.memory);
    expect(() => kernels.createEngine(EMPTY, arena, bytes, bytes, order)).not.toThrow();
    const text = (name: string): string => `createEngine: the ${name} must lie in the memory of the kernels`;
    const stray = new Uint8Array(new SharedArrayBuffer(1 << 22));
    expect(() => kernels.createEngine(EMPTY, arena, stray, bytes, order)).toThrow(text('images'));
    const foreign = place(new Uint8Array(16), other);
    expect(() => kernels.createEngine(EMPTY, arena, bytes, foreign, order)).toThrow(text('labels'));
    expect(() => kernels.createEngine(EMPTY, allocateAligned(16, other), bytes, bytes, order)).toThrow(text('arena'));
  });

  it('copy what lies outside once, and leave what lies inside', () => {
    const memory = openMemory(isa);
    const inside = place(Uint8Array.of(1, 2, 3), memory);
    allocateAligned(1 << 20, memory); // grows: the memory has another buffer now
    expect(place(inside, memory)).toBe(inside);
    expect([...inside]).toEqual([1, 2, 3]);
  });

  it('say that a program needs more than 4 GB, and go on with the next', () => {
    const kernels = loadKernels(openMemory(isa));
    const arena = allocateAligned(16, kernels.memory);
    const bytes = place(new Uint8Array(16), kernels.memory);
    const order = place(new Int32Array(16), kernels.memory);
    const create = (program: Int32Array) => kernels.createEngine(program, arena, bytes, bytes, order);
    const huge = EMPTY.slice();
    huge[3] = 67_100_000; // a little less than 4 GB of scratch, in units of 16 floats
    expect(() => create(huge)).toThrow(/the WebAssembly kernels need \d+ MB more, and have 4 GB at the most/);
    huge[3] = 2 ** 31 - 1; // more than an address can say
    expect(() => create(huge)).toThrow('out of memory for the scratch of the kernels');
    expect(kernels.contribute(create(EMPTY), new Int32Array(CALL_FIELDS))).toBe(0);
  });
});

it('a memory that is full is told with what to do', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
  expect(growBy(PAGE_BYTES, memory)).toBe(PAGE_BYTES);
  expect(() => growBy(5e6, memory)).toThrow(
    expect.objectContaining({
      code: 'LOCKSTEP_WASM_MEMORY',
      message: expect.stringMatching(/^the WebAssembly kernels need 5 MB more.*--kernels native/),
    }),
  );
});
