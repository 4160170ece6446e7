/**
 * Processors that this machine is not, under qemu: each build of the kernels answers whether it can run, and none that
 * cannot is called. LOCKSTEP_REQUIRE_RUNTIMES=1 fails what would be skipped.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { ROOT } from '../tools/bootstrap.mjs';
import { findOnPath } from '../tools/setup/compiler.mjs';
import { detectInstructionSets } from '../tools/setup/instruction-sets.mjs';
import { run } from '../tools/setup/processes.mjs';

const EMULATOR = 'qemu-x86_64-static';
const isRequired = process.env.LOCKSTEP_REQUIRE_RUNTIMES === '1';
const isHere = process.platform === 'linux' && process.arch === 'x64' && findOnPath(EMULATOR, process.env);
const KERNELS = pathToFileURL(path.join(ROOT, 'packages/kernels/dist/index.js')).href;
const LIST = `import(${JSON.stringify(KERNELS)}).then(({ availableIsas }) => console.log(availableIsas().join()))`;

/** AVX-512 is not among what qemu knows. */
const COMPILED = detectInstructionSets().filter((isa) => isa !== 'avx512');

it.skipIf(!isHere && !isRequired).each([
  ['Nehalem', 'neither AVX2 nor fused multiply-adds', ['wasm-exact']],
  ['Haswell', 'both', [...COMPILED, 'wasm', 'wasm-exact']],
])(`cases: issue 26: a processor like %s, with %s, can run %j (needs ${EMULATOR}) [CI]`, async (cpu, _, expected) => {
  const { code, output } = await run(EMULATOR, ['-cpu', cpu, process.execPath, '-e', LIST]);
  expect(code, output).toBe(0);
  // qemu itself warns of features that it leaves out
  expect(output.trim().split('\n').at(-1)).toBe(expected.join());
});
