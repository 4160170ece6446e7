/**
 * Where the builds of the kernels are, the one place that knows:
 *
 *   build/lockstep-avx2.node                        compiled on this machine, in a clone
 *   prebuilds/linux-x64-glibc/lockstep-avx2.node    what the package brings, for each platform (`npm run package`)
 *   wasm/lockstep-wasm.wasm                         for every machine, kept in the repository (`node tools/wasm.mjs`)
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Builds of the kernels, best first. All give the same bits. */
export const ISAS = ['avx512', 'avx2', 'neon', 'wasm', 'wasm-exact'] as const;
export type Isa = (typeof ISAS)[number];

/**
 * Builds that are the same on every machine: `wasm` leaves it to the engine how often a multiply-add is rounded, and is
 * right where that is once; `wasm-exact` is right everywhere, and far slower.
 */
const WASM_ISAS = ['wasm', 'wasm-exact'] as const;
export type WasmIsa = (typeof WASM_ISAS)[number];

export const isWasm = (isa: Isa): isa is WasmIsa => WASM_ISAS.some((name) => name === isa);

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

/** Whether this is a clone: a package brings its builds, and nothing to compile. */
export const hasSources = (folder = PACKAGE): boolean => existsSync(path.join(folder, 'native'));

/** A command of the repository, as people are told to run it: a package sets nothing up. */
export const inClone = (command: string, isClone = hasSources()): string =>
  isClone ? command : `${command} in a clone of Lockstep's repository`;

/** Where a build of the kernels is; undefined when there is none for this platform. */
export function findBuild(isa: Isa, folder = PACKAGE, platform = platformName()): string | undefined {
  if (isWasm(isa)) return [path.join(folder, 'wasm', `lockstep-${isa}.wasm`)].find((file) => existsSync(file));
  return places(folder, platform)
    .map((place) => path.join(place, `lockstep-${isa}.node`))
    .find((file) => existsSync(file));
}

/** That kernels cannot run here. This package knows no LockstepError; whoever calls it makes it one. */
export const kernelsError = (text: string, cause?: unknown): Error =>
  Object.assign(new Error(text, { cause }), { code: 'LOCKSTEP_KERNELS' });

/** What was looked for and what to do, where there is no build at all. */
export function describeNoBuild(folder = PACKAGE, platform = platformName()): string {
  const looked = places(folder, platform).join(' and ');
  return `there is no build of the kernels for ${platform} (looked in ${looked}): in a clone npm run build makes one; --kernels wasm runs everywhere`;
}

const places = (folder: string, platform: string): string[] => [
  path.join(folder, 'build'),
  path.join(folder, 'prebuilds', platform),
];

/** `linux-x64-glibc`, `linux-arm64-musl`, `win32-x64`: what a build depends on, beside the instruction set. */
export function platformName(platform = process.platform, arch = process.arch, readMaps = readOwnMaps): string {
  return platform === 'linux' ? `linux-${arch}-${isMusl(readMaps()) ? 'musl' : 'glibc'}` : `${platform}-${arch}`;
}

/** musl's dynamic linker is its C library, so it is mapped by a process that runs on it and by no other; Debian and Void call the file libc.so. */
const isMusl = (maps: string): boolean => /\/(ld-musl-|libc\.musl-|libc\.so$)/m.test(maps);

/** Not process.report, which looks up the names of all peers of open connections. */
function readOwnMaps(): string {
  try {
    return readFileSync('/proc/self/maps', 'utf8');
  } catch {
    return '';
  }
}
