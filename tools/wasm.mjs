/**
 * Builds the kernels for WebAssembly, by the pinned zig: `node tools/wasm.mjs`. The two modules are kept in the repository,
 * in packages/kernels/wasm, and are built anew in the last commit of a change to the kernels' sources.
 *
 *   lockstep-wasm.wasm         multiply-adds by f32x4.relaxed_madd: right where the engine rounds them once
 *   lockstep-wasm-exact.wasm   multiply-adds from doubles: right everywhere
 *
 * The same sources give the same bytes, on every machine. Each module says in a section of its own which sources it was built
 * from; test/repository/wasm.test.ts compares, and wasm.slow.test.ts builds them and compares the bytes.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './setup/processes.mjs';
import { SetupError, sayFailure, sayTimed } from './setup/report.mjs';
import { hashFiles, hashText, listFiles } from './setup/stale.mjs';
import { setUpZig, ZIG_PACKAGE, zigEnvironment } from './setup/zig.mjs';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const KERNELS = path.join(ROOT, 'packages', 'kernels');
/** The section of a module that holds the hash of what it was built from. */
const SECTION = 'lockstep.sources';

const FEATURES = 'generic+atomics+bulk_memory+simd128';
/** The builds: a name, and what of a processor they ask for. */
export const WASM_BUILDS = { wasm: `${FEATURES}+relaxed_simd`, 'wasm-exact': FEATURES };

/** -s: without it a module holds paths of this machine. */
const FLAGS = [
  ...['-target', 'wasm32-wasi', '-mexec-model=reactor', '-O3', '-s', '-std=c++20', '-ffp-contract=off'],
  ...['-fno-math-errno', '-fno-exceptions', '-fno-rtti', '-fno-threadsafe-statics', '-fvisibility=hidden'],
  // A thread of Lockstep brings its own stack; this one is only that of the module's start.
  ...['-Wl,-z,stack-size=65536', '-Wl,--shared-memory', '-Wl,--import-memory', '-Wl,--max-memory=4294901760'],
  ...['__stack_pointer', '__wasm_init_tls', '__tls_size', '__tls_align'].map((name) => `-Wl,--export=${name}`),
];

export const wasmFile = (isa) => path.join(KERNELS, 'wasm', `lockstep-${isa}.wasm`);

const defineOf = (isa) => `-DLOCKSTEP_ISA_${isa.toUpperCase().replaceAll('-', '_')}`;
const flagsOf = (isa) => [...FLAGS, `-mcpu=${WASM_BUILDS[isa]}`, defineOf(isa)];

/** Sources of the addons alone. */
const OF_NODE = ['native/binding.cc', 'native/binding.h', 'native/entry.cc'];

/** Sorted by code point, whatever the locale: the order of the sources is part of the bytes. */
const listSources = () =>
  ['native', 'wasm']
    .flatMap((name) => listFiles(path.join(KERNELS, name), (file) => /\.(cc|h)$/.test(file)))
    .filter((file) => !OF_NODE.includes(path.relative(KERNELS, file).replaceAll(path.sep, '/')));

/** SHA-256 over all that decides a module's bytes. */
export const sourcesHash = (isa) => hashText(JSON.stringify([ZIG_PACKAGE, flagsOf(isa), hashFiles(listSources())]));

/** What a module says that it was built from; undefined if it does not say it. */
export function readSourcesHash(bytes) {
  const mark = Buffer.concat([Buffer.of(SECTION.length), Buffer.from(SECTION)]);
  const at = Buffer.from(bytes).lastIndexOf(mark);
  return at < 0 ? undefined : Buffer.from(bytes).toString('latin1', at + mark.length);
}

/** A custom section at the end of a module: id 0, length, name, contents; each length is below 128, one byte. */
function appendHash(module, hash) {
  const body = Buffer.concat([Buffer.of(SECTION.length), Buffer.from(SECTION), Buffer.from(hash)]);
  return Buffer.concat([module, Buffer.of(0, body.length), body]);
}

/** Builds a module and returns its bytes. Throws a SetupError with the compiler's output. */
export async function buildWasm(isa, { signal } = {}) {
  const zig = await setUpZig({ signal });
  const folder = mkdtempSync(path.join(tmpdir(), 'lockstep-wasm-'));
  try {
    const file = path.join(folder, 'kernels.wasm');
    const sources = listSources().filter((source) => source.endsWith('.cc'));
    const relative = sources.map((source) => path.relative(KERNELS, source).replaceAll(path.sep, '/'));
    const args = ['c++', ...flagsOf(isa), ...relative, '-o', file];
    const { code, output } = await run(zig, args, { cwd: KERNELS, env: zigEnvironment(), signal });
    if (code !== 0) throw new SetupError(`the ${isa} kernels do not compile with ${ZIG_PACKAGE}`, { output });
    return appendHash(readFileSync(file), sourcesHash(isa));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    for (const isa of Object.keys(WASM_BUILDS)) {
      const build = async () => writeFileSync(wasmFile(isa), await buildWasm(isa));
      await sayTimed(`building ${path.relative(ROOT, wasmFile(isa))}`, `${isa} built`, build);
    }
  } catch (error) {
    sayFailure(error);
    process.exitCode = 1;
  }
}
