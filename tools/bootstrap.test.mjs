/** A set-up where the kernels for this machine cannot be compiled. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { bootstrap } from './bootstrap.mjs';
import { addonFile, kernelsProject } from './setup/kernels.mjs';

let root;
let said;

function write(name, text = '') {
  mkdirSync(path.join(root, path.dirname(name)), { recursive: true });
  writeFileSync(path.join(root, name), text);
}

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'lockstep-bootstrap-'));
  write('package.json', JSON.stringify({ workspaces: [] }));
  for (const name of ['package-lock.json', 'node_modules/.package-lock.json']) write(name, '{"packages":{}}');
  // the TypeScript compiles
  write('node_modules/typescript/bin/tsc');
  write('packages/kernels/native/one.cc');
  write('packages/kernels/wasm/lockstep-wasm.wasm');
  mkdirSync(path.join(root, 'bin'));
  symlinkSync('/bin/sh', path.join(root, 'bin', 'sh'));
  vi.stubEnv('PATH', path.join(root, 'bin'));
  vi.stubEnv('LOCKSTEP_CACHE', path.join(root, 'cache'));
  vi.stubEnv('LOCKSTEP_ISA', undefined);
  vi.stubEnv('CXX', undefined);
  said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += text;
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

const setUpProgram = () => bootstrap({ root, isForTests: false, canUseWasm: true });
const GOES_ON =
  /^setup: computing with the kernels in WebAssembly, to the same bits, since those for this machine are not compiled: (.*) \(`npm run build` says more\)$/m;

function addFailingCompiler() {
  write(
    'bin/c++',
    '#!/bin/sh\n[ "$1" = --version ] && echo "c++ 14" && exit 0\necho error: no such flag >&2\nexit 1\n',
  );
  chmodSync(path.join(root, 'bin', 'c++'), 0o755);
}

it('every command of the program goes on without a compiler, in one line, and a build asks for one', async () => {
  expect(await setUpProgram()).toBe(true);
  expect(GOES_ON.exec(said)?.[1]).toMatch(/^no C\+\+ compiler was found/);
  said = '';
  expect(await bootstrap({ root, isForTests: false })).toBe(false);
  expect(said).toMatch(/apt-get install/);
});

it('goes on where a compiler cannot compile the kernels, without half of them', async () => {
  addFailingCompiler();
  expect(await setUpProgram()).toBe(true);
  expect(GOES_ON.exec(said)?.[1]).toMatch(/^one\.cc does not compile for \w+ with c\+\+ 14: error: no such flag$/);
});

it('computes with no kernels of other sources: without a compiler in WebAssembly, else whoever changed them is told', async () => {
  for (const isa of kernelsProject(root).isas) write(path.relative(root, addonFile(kernelsProject(root), isa)));
  expect(await setUpProgram()).toBe(true);
  expect(said).toMatch(GOES_ON);
  expect(process.env.LOCKSTEP_ISA).toBe('wasm');
  vi.stubEnv('LOCKSTEP_ISA', undefined);
  addFailingCompiler();
  expect(await setUpProgram()).toBe(false);
  expect(said).toMatch(/^error: no such flag$/m);
});

it('asks for no compiler where LOCKSTEP_ISA names WebAssembly, and for one where it names another build', async () => {
  vi.stubEnv('LOCKSTEP_ISA', 'wasm');
  expect(await setUpProgram()).toBe(true);
  expect(said).not.toMatch(/compiler/);
  vi.stubEnv('LOCKSTEP_ISA', 'avx2');
  expect(await setUpProgram()).toBe(false);
});
