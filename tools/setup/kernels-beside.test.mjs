import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { areKernelsMissing } from '../bootstrap.mjs';
import { instructionSetsOfRun } from './instruction-sets.mjs';
import { addonFile, kernelsProject } from './kernels.mjs';
import { buildBeside, kernelsNeed, nicerThan } from './kernels-beside.mjs';

let root;

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'lockstep-beside-'));
  for (const folder of ['native', 'wasm', 'build'])
    mkdirSync(path.join(root, 'packages', 'kernels', folder), { recursive: true });
  mkdirSync(path.join(root, 'node_modules', 'node-api-headers', 'include'), { recursive: true });
  mkdirSync(path.join(root, 'bin'));
  // only what the test puts there can be run
  symlinkSync('/bin/sh', path.join(root, 'bin', 'sh'));
  vi.stubEnv('PATH', path.join(root, 'bin'));
  vi.stubEnv('LOCKSTEP_CACHE', path.join(root, 'cache'));
  vi.stubEnv('LOCKSTEP_ISA', '');
  vi.stubEnv('CXX', undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

function addCompiler(script) {
  const file = path.join(root, 'bin', 'c++');
  writeFileSync(file, `#!/bin/sh\n[ "$1" = --version ] && echo "c++ 14" && exit 0\n${script}\n`);
  chmodSync(file, 0o755);
  writeFileSync(path.join(root, 'packages', 'kernels', 'native', 'one.cc'), '');
}

it('says that there is no compiler, and asks nobody', async () => {
  expect(await buildBeside(root).failure).toBe(
    'no C++ compiler was found (looked for $CXX, c++, g++, clang++ and zig)',
  );
});

it('says what does not compile, and leaves nothing that looks like kernels', async () => {
  addCompiler('echo "one.cc: in f" >&2; echo "one.cc:1: error: no x" >&2; exit 1');
  expect(await buildBeside(root).failure).toMatch(
    /^one\.cc does not compile for \w+ with c\+\+ 14: one\.cc:1: error: no x$/,
  );
  expect(readdirSync(path.join(root, 'packages', 'kernels', 'build'))).toEqual(['obj']);
  // those that tests compare it with are left to them
  expect(readdirSync(path.join(root, 'packages', 'kernels', 'build', 'obj'))).toEqual(instructionSetsOfRun());
  // the next one need not wait
  expect(existsSync(path.join(root, 'build', 'setup', 'lock'))).toBe(false);
});

it('a run may begin without kernels only where there are those in WebAssembly, and none for this machine', () => {
  expect(areKernelsMissing(root)).toBe(false);
  writeFileSync(path.join(root, 'packages', 'kernels', 'wasm', 'lockstep-wasm.wasm'), '');
  expect(areKernelsMissing(root)).toBe(true);
  // a processor that nothing is compiled for
  expect(areKernelsMissing(root, kernelsProject(root, { isas: [] }))).toBe(false);
  vi.stubEnv('LOCKSTEP_ISA', 'avx2');
  expect(areKernelsMissing(root)).toBe(false);
  vi.stubEnv('LOCKSTEP_ISA', '');
  writeFileSync(addonFile(kernelsProject(root), instructionSetsOfRun()[0]), '');
  expect(areKernelsMissing(root)).toBe(false);
});

it('compiles at a lower priority than the run has, also where that has the lowest', () => {
  expect([-5, 0, 10, 19].map(nicerThan)).toEqual([0, 5, 15, 19]);
});

it('only what is measured, or shared with other machines, waits for the compiler; and nobody who asks for help does', () => {
  const needs = (line) => kernelsNeed(line.split(' ').filter(Boolean));
  expect(['', '--version', 'help train', 'models', 'data', 'summary tiny6k', 'doctor', 'simulate'].map(needs)).toEqual(
    Array(8).fill('none'),
  );
  expect(['bench', 'bench sync', 'worker', 'launch', 'reproduce', 'speedrun'].map(needs)).toEqual(
    Array(6).fill('native'),
  );
  expect(['bench --help', 'worker -h', 'train --help'].map(needs)).toEqual(Array(3).fill('none'));
  expect(['evaluate --weights latest', 'predict a.png', 'export'].map(needs)).toEqual(Array(3).fill('any'));
  expect(needs('train')).toBe('later');
});
