import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ROOT } from '../bootstrap.mjs';
import { findCompiler } from './compiler.mjs';
import { detectInstructionSets } from './instruction-sets.mjs';
import { areKernelsFresh, buildKernels, kernelsProject } from './kernels.mjs';

/** This machine's best; neon, which asks for nothing, where it has none. */
const [ISA = 'neon'] = detectInstructionSets();
const HEADER = `#pragma once
inline float answer() { return 42.0f; }
float fused(float a, float b, float c);
`;
// A compiler that contracts would give 2^-46 here, not 0: the product is rounded before it is added.
const FUSED = `#include "answer.h"
float fused(float a, float b, float c) { return a * b + c; }
`;
const BINDING = `#include <node_api.h>
#include "answer.h"
#if defined(LOCKSTEP_ISA_AVX512)
#include <immintrin.h>
static float isaSum() { return _mm512_reduce_add_ps(_mm512_set1_ps(1.0f)); }
#elif defined(LOCKSTEP_ISA_AVX2)
#include <immintrin.h>
static float isaSum() { return _mm256_cvtss_f32(_mm256_set1_ps(8.0f)); }
#else
static float isaSum() { return 0.0f; }
#endif
static napi_value call(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value args[3], result;
  double x[3];
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  for (int i = 0; i < 3; ++i) napi_get_value_double(env, args[i], &x[i]);
  napi_create_double(env, fused(x[0], x[1], x[2]), &result);
  return result;
}
static void set(napi_env env, napi_value target, const char* name, double number) {
  napi_value value;
  napi_create_double(env, number, &value);
  napi_set_named_property(env, target, name, value);
}
NAPI_MODULE_INIT() {
  napi_value f;
  napi_create_function(env, "fused", NAPI_AUTO_LENGTH, call, nullptr, &f);
  napi_set_named_property(env, exports, "fused", f);
  set(env, exports, "answer", answer());
  set(env, exports, "isaSum", isaSum());
  return exports;
}
`;

let folder;
let project;
let compiler;

beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'lockstep-kernels-'));
  mkdirSync(path.join(folder, 'native'));
  write('answer.h', HEADER);
  write('fused.cc', FUSED);
  write('binding.cc', BINDING);
  project = {
    ...kernelsProject(ROOT),
    sourceFolder: path.join(folder, 'native'),
    buildFolder: path.join(folder, 'build'),
    isas: [ISA],
  };
  compiler = await findCompiler();
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(name, text) {
  writeFileSync(path.join(folder, 'native', name), text);
}

/** In a process of its own: an addon once loaded stays. */
function callAddon(isa) {
  const script = `const addon = require(process.argv[1]);
    const a = 1 + 2 ** -23;
    console.log(JSON.stringify([addon.answer, addon.isaSum, addon.fused(a, a, -Math.fround(a * a))]))`;
  const file = path.join(project.buildFolder, `lockstep-${isa}.node`);
  return JSON.parse(execFileSync(process.execPath, ['-e', script, file], { encoding: 'utf8' }));
}

it('builds an addon that loads for every instruction set of this processor, and fuses no multiply-add on its own', async () => {
  project.isas = detectInstructionSets();
  expect(await buildKernels(project, compiler)).toEqual({
    compiled: 2 * project.isas.length,
    linked: project.isas.length,
  });
  const sums = { avx512: 16, avx2: 8, neon: 0 };
  for (const isa of project.isas) expect(callAddon(isa)).toEqual([42, sums[isa], 0]);
});

it.skipIf(ISA === 'neon')(
  'compiles entry.cc for every processor of the platform, and the others for some',
  async () => {
    const refuse = '#if defined(__AVX2__) || defined(__AVX512F__)\n#error "for some processors only"\n#endif\n';
    write('entry.cc', refuse);
    await buildKernels(project, compiler);
    write('other.cc', refuse);
    await expect(buildKernels(project, compiler)).rejects.toMatchObject({
      output: expect.stringContaining('for some'),
    });
  },
);

it('is stale before the first build and fresh after it', async () => {
  expect(areKernelsFresh(project)).toBe(false);
  await buildKernels(project, compiler);
  expect(areKernelsFresh(project)).toBe(true);
  expect(await buildKernels(project, compiler)).toEqual({ compiled: 0, linked: 0 });
});

it('is stale when a source changes, when CXX changes and when an addon is gone', async () => {
  await buildKernels(project, compiler);
  expect(areKernelsFresh({ ...project, env: { ...project.env, CXX: 'another-compiler' } })).toBe(false);
  write('extra.h', '');
  expect(areKernelsFresh(project)).toBe(false);
  rmSync(path.join(folder, 'native', 'extra.h'));
  expect(areKernelsFresh(project)).toBe(true);
  rmSync(path.join(project.buildFolder, `lockstep-${ISA}.node`));
  expect(areKernelsFresh(project)).toBe(false);
  expect(await buildKernels(project, compiler)).toEqual({ compiled: 0, linked: 1 });
});

it('compiles only the file that changed, and drops its old object', async () => {
  await buildKernels(project, compiler);
  write('fused.cc', `${FUSED}float unused() { return 1; }\n`);
  expect(await buildKernels(project, compiler)).toEqual({ compiled: 1, linked: 1 });
  expect(readdirSync(path.join(project.buildFolder, 'obj', ISA))).toHaveLength(2);
});

it('compiles every file when a header changes', async () => {
  await buildKernels(project, compiler);
  write('answer.h', HEADER.replace('42', '43'));
  expect(await buildKernels(project, compiler)).toEqual({ compiled: 2, linked: 1 });
  expect(callAddon(ISA)[0]).toBe(43);
});

it('compiles nothing when a file is only touched', async () => {
  await buildKernels(project, compiler);
  write('fused.cc', FUSED);
  expect(await buildKernels(project, compiler)).toEqual({ compiled: 0, linked: 0 });
  expect(areKernelsFresh(project)).toBe(true);
});

it('keeps the old addon, names the file and shows what the compiler said when a source does not compile', async () => {
  await buildKernels(project, compiler);
  const before = statSync(path.join(project.buildFolder, `lockstep-${ISA}.node`)).mtimeMs;
  write('fused.cc', 'float fused(float, float, float) { return no_such_name; }\n');
  await expect(buildKernels(project, compiler)).rejects.toMatchObject({
    message: expect.stringContaining(`fused.cc does not compile for ${ISA} with `),
    output: expect.stringContaining('no_such_name'),
    hint: expect.stringContaining('CXX'),
  });
  expect(areKernelsFresh(project)).toBe(false);
  expect(statSync(path.join(project.buildFolder, `lockstep-${ISA}.node`)).mtimeMs).toBe(before);
  expect(readdirSync(project.buildFolder).filter((name) => name.startsWith('.'))).toEqual([]);
});

it('refuses an addon with a symbol missing', async () => {
  write('fused.cc', '#include "answer.h"\n');
  await expect(buildKernels(project, compiler)).rejects.toMatchObject({
    message: `the ${ISA} kernels were built but do not load`,
    output: expect.stringContaining('fused'),
  });
});

it('links an addon anew that was cut short, and compiles anew when an object was', async () => {
  await buildKernels(project, compiler);
  const addon = path.join(project.buildFolder, `lockstep-${ISA}.node`);
  truncateSync(addon, 1000);
  expect(areKernelsFresh(project)).toBe(false);
  expect(await buildKernels(project, compiler)).toEqual({ compiled: 0, linked: 1 });
  expect(areKernelsFresh(project)).toBe(true);
  const objects = path.join(project.buildFolder, 'obj', ISA);
  for (const name of readdirSync(objects)) truncateSync(path.join(objects, name), 100);
  rmSync(addon);
  await expect(buildKernels(project, compiler)).rejects.toThrow(`the ${ISA} kernels do not link`);
  expect(await buildKernels(project, compiler)).toEqual({ compiled: 2, linked: 1 });
});

it('says so when there are no sources', async () => {
  rmSync(path.join(folder, 'native'), { recursive: true });
  await expect(buildKernels(project, compiler)).rejects.toThrow('there are no C++ sources in ');
});
