import { expect, it } from 'vitest';
import {
  detectInstructionSets,
  instructionSetsOfRun,
  parseCpuinfo,
  parseSysctl,
  readProcessorFlags,
} from './instruction-sets.mjs';

it.each([
  ['avx512f avx512bw avx512dq avx512vl avx2 fma', ['avx512', 'avx2']],
  ['avx512f avx2 fma', ['avx2']],
  ['avx2', []],
  ['asimd', ['neon']],
  ['', []],
])('for a processor with "%s" builds %j', (flags, expected) => {
  expect(detectInstructionSets(new Set(flags.split(' ')))).toEqual(expected);
});

it('reads the first processor of /proc/cpuinfo', () => {
  const text = 'processor\t: 0\nflags\t\t: fpu avx2 fma\n\nprocessor\t: 1\nflags\t\t: other\n';
  expect([...parseCpuinfo(text)]).toEqual(['fpu', 'avx2', 'fma']);
  expect([...parseCpuinfo('processor : 0\n')]).toEqual([]);
});

it('reads what sysctl prints on macOS', () => {
  const flags = parseSysctl('FPU SSE FMA AVX1.0\nAVX2 AVX512F AVX512BW AVX512DQ AVX512VL\n');
  expect(detectInstructionSets(flags)).toEqual(['avx512', 'avx2']);
});

it('knows that every arm64 processor has NEON', () => {
  expect(detectInstructionSets(readProcessorFlags('linux', 'arm64'))).toEqual(['neon']);
});

it.each([
  [undefined, ['avx512', 'avx2'], ['avx512']],
  ['', ['neon'], ['neon']],
  ['avx2', ['avx512', 'avx2'], ['avx2']],
  ['wasm', ['avx512', 'avx2'], ['avx512']],
  ['avx512', ['avx2'], ['avx2']],
  [undefined, [], []],
])('a run with LOCKSTEP_ISA %j, where %j can run, needs %j', (asked, available, needed) => {
  expect(instructionSetsOfRun(asked, available)).toEqual(needed);
});
