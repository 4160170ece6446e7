/**
 * The package as users have it, under everything that runs JavaScript and that npm has: 30 steps on the embedded sample end
 * with the same hash, and nodes of different kinds make one run. LOCKSTEP_REQUIRE_RUNTIMES=1 fails what would be skipped.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findFreePort } from '../test/support/free-port.ts';
import { Program } from '../test/support/program.ts';
import { ROOT } from '../tools/bootstrap.mjs';
import { listOwnBuilds } from '../tools/package/own-builds.mjs';
import { stagePackage } from '../tools/package/stage.mjs';
import { findCompiler } from '../tools/setup/compiler.mjs';
import { detectInstructionSets } from '../tools/setup/instruction-sets.mjs';
import { addonFile, buildKernels, kernelsProject } from '../tools/setup/kernels.mjs';
import { ARM64_COMPILER, archOf, isInCi, RUNTIMES, setUpRuntime, whyNot } from '../tools/setup/runtimes.mjs';

/** Of `train MODEL --steps 30 --seed 1` on the embedded sample, on any machine. */
const HASHES = JSON.parse(readFileSync(new URL('./hashes.json', import.meta.url), 'utf8'));
const STEPS = ['--steps', '30', '--seed', '1', '--json', '--quiet'];
const TOKEN = 'a secret for the runtimes of one machine';
const isRequired = process.env.LOCKSTEP_REQUIRE_RUNTIMES === '1';

mkdirSync(path.join(ROOT, 'build'), { recursive: true });
const project = mkdtempSync(path.join(ROOT, 'build', 'runtimes-'));
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** What is made once, when it is first asked for. */
function once(make) {
  let made;
  return () => {
    made ??= make();
    return made;
  };
}

const buildArm64 = once(async () => {
  const target = {
    name: 'linux-arm64-glibc',
    linkFlags: ['-shared', '-s', '-Wl,-z,now'],
    staticFlags: ['-static-libstdc++', '-static-libgcc'],
    runsHere: false,
  };
  const env = { ...process.env, CXX: ARM64_COMPILER };
  const buildFolder = path.join(ROOT, 'build', 'arm64');
  const kernels = kernelsProject(ROOT, { isas: ['neon'], env, target, buildFolder });
  await buildKernels(kernels, await findCompiler({ env }));
  return { platform: target.name, isa: 'neon', file: addonFile(kernels, 'neon') };
});

/** The package with this machine's kernels, or with those for arm64; Node finds its dependencies in the clone's node_modules. */
const stage = Object.fromEntries(
  ['x64', 'arm64'].map((arch) => [
    arch,
    once(async () => {
      const folder = path.join(project, arch, 'node_modules', 'lockstep');
      const builds = arch === 'x64' ? await listOwnBuilds(ROOT) : [await buildArm64()];
      const { bin } = stagePackage(ROOT, folder, builds);
      return path.join(folder, bin.lockstep);
    }),
  ]),
);

/** Starts `lockstep ...args` under a runtime, with nothing but the embedded sample. */
async function start(runtime, args, env = {}) {
  const bin = await stage[archOf(runtime)]();
  const command = [...(await setUpRuntime(runtime)), bin, ...args];
  const cache = path.join(project, 'cache');
  return new Program(command, { LOCKSTEP_OFFLINE: '1', LOCKSTEP_CACHE: cache, LOCKSTEP_TOKEN: TOKEN, ...env }, project);
}

const find = (name, { events }) => events.find(({ event }) => event === name);

/** The hash in the end event of a program that ends well. */
async function hashOf(program) {
  const code = await program.exit;
  expect(code, program.stderr).toBe(0);
  return find('end', program)?.parametersSha256;
}

const runtimeOf = (name) => RUNTIMES.find((runtime) => runtime.name === name);

/** The build that a runtime takes on this processor: without fused multiply-adds in it, every engine rounds twice. */
const wasmOf = ({ wasm }) => (wasm === 'fused' && detectInstructionSets().length > 0 ? 'wasm' : 'wasm-exact');

function itUnder(names, text, test) {
  const reasons = names.map((name) => [name, whyNot(runtimeOf(name))]).filter(([, reason]) => reason !== '');
  const why = reasons.map(([name, reason]) => ` (skipped: ${name} ${reason})`).join('');
  it.skipIf(why !== '' && !isRequired)(text + why, test);
}

describe.each(RUNTIMES.map((runtime) => [runtime.name, runtime]))('%s', (_, runtime) => {
  const cells = Object.keys(HASHES).flatMap((model) => ['native', 'wasm'].map((kernels) => [model, kernels]));
  for (const [model, kernels] of cells) {
    const mark = isInCi(runtime, kernels, model) ? ' [CI]' : '';
    const text = `trains 30 steps of ${model} on ${kernels} kernels to the golden hash${mark}`;
    itUnder([runtime.name], text, async () => {
      const program = await start(runtime, ['train', model, '--workers', '2', '--kernels', kernels, ...STEPS]);
      const hash = await hashOf(program);
      const { engine } = find('start', program);
      console.log(`${runtime.name} (${runtime.version}): ${model} on ${engine} ${hash}`);
      expect(hash).toBe(HASHES[model]);
      if (kernels === 'wasm') expect(engine).toBe(`native (${wasmOf(runtime)})`);
      else expect(engine).not.toContain('wasm');
    });
  }
});

/** Who listens, and who connects. */
const PAIRS = [
  ['Bun', 'Bun'],
  ['Deno', 'Deno'],
  ['Node 26', 'Bun'],
  ['Node 20', 'Node 20 on arm64'],
];

describe('a run of two nodes has the golden hash', () => {
  for (const [listener, caller] of PAIRS) {
    itUnder([listener, caller], `${listener} listens, ${caller} connects`, async () => {
      const address = `127.0.0.1:${await findFreePort()}`;
      const train = ['train', 'tiny6k', '--workers', '1', '--wait-for', '1', '--listen', address, ...STEPS];
      const [coordinator, node] = await Promise.all([
        start(runtimeOf(listener), train),
        start(runtimeOf(caller), ['worker', '--connect', `ws://${address}`, '--workers', '1']),
      ]);
      expect(await hashOf(coordinator)).toBe(HASHES.tiny6k);
      expect(await node.exit, node.stderr).toBe(0);
    });
  }

  itUnder(['Bun'], 'cases: peers 28: `launch` of two under Bun', async () => {
    const where = { LOCKSTEP_SIZE: '2', LOCKSTEP_COORDINATOR: `127.0.0.1:${await findFreePort()}` };
    const launch = ['launch', 'tiny6k', '--workers', '1', ...STEPS];
    const [first, second] = await Promise.all(
      ['0', '1'].map((rank) => start(runtimeOf('Bun'), launch, { ...where, LOCKSTEP_RANK: rank })),
    );
    expect(await hashOf(first)).toBe(HASHES.tiny6k);
    expect(await second.exit, second.stderr).toBe(0);
  });
});
