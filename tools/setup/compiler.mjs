/** Finds a C++ compiler: the one the user names, the system's, or zig's from PyPI (which can be installed on the spot). */
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { isOffline } from './cache-folder.mjs';
import { run } from './processes.mjs';
import { SetupError } from './report.mjs';
import { statKey } from './stale.mjs';
import { setUpZig, zigFile } from './zig.mjs';

export const NO_COMPILER_HINT = [
  'Install one, then run the same command again:',
  '  Debian, Ubuntu:  sudo apt-get install g++',
  '  Fedora:          sudo dnf install gcc-c++',
  '  macOS:           xcode-select --install',
  'or let the set-up fetch zig, which contains one, from PyPI into your cache folder (needs python3 with pip, 0.5 GB):',
  '  LOCKSTEP_INSTALL_COMPILER=zig in the environment of the same command',
].join('\n');

/**
 * The compiler to use: `{ command, file, fileKey, version }`, the command being the words to put before the arguments.
 * `$CXX`, else c++, g++, clang++ on the PATH, else zig; without any, zig is offered. Throws a SetupError.
 */
export async function findCompiler({ env = process.env, signal, ask = askOnTerminal, write } = {}) {
  if (process.platform === 'win32') {
    throw new SetupError('the kernels cannot be built on Windows yet', {
      hint: 'Use WSL (https://learn.microsoft.com/windows/wsl/install): Lockstep runs there as on any Linux.',
    });
  }
  if (env.CXX) return await findNamedCompiler(env, signal);
  const names = (await isAppleStub(signal)) ? [] : ['c++', 'g++', 'clang++'];
  for (const name of names) {
    const compiler = await tryCompiler([name], env, signal);
    if (compiler) return compiler;
  }
  const zig = await findZig(env, signal);
  if (zig) return zig;
  if (await mayInstallZig(env, ask, signal)) return await installZig(env, signal, write);
  throw new SetupError('no C++ compiler was found (looked for $CXX, c++, g++, clang++ and zig)', {
    hint: NO_COMPILER_HINT,
  });
}

/** Whether a compiler recorded by an earlier build is still the same one; one that is gone does not make a build stale. */
export function isSameCompiler({ file, fileKey }) {
  const key = statKey(file);
  return key === fileKey || key === 'missing';
}

async function findNamedCompiler(env, signal) {
  const compiler = await tryCompiler(env.CXX.trim().split(/\s+/), env, signal);
  if (compiler) return compiler;
  throw new SetupError(`CXX is "${env.CXX}", which cannot be run`, {
    hint: 'Correct it, or unset it to use the system compiler.',
  });
}

async function tryCompiler(command, env, signal) {
  const file = findOnPath(command[0], env);
  if (file === undefined) return undefined;
  const { code, output } = await run(command[0], [...command.slice(1), '--version'], { env, signal });
  return code === 0 ? { command, file, fileKey: statKey(file), version: output.trim().split('\n')[0] } : undefined;
}

/** The first executable of this name. */
export function findOnPath(name, env) {
  const folders = name.includes('/') ? [''] : (env.PATH ?? '').split(path.delimiter);
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Without the command line tools, macOS's c++ only opens a window that offers them. */
async function isAppleStub(signal) {
  if (process.platform !== 'darwin') return false;
  return (await run('xcode-select', ['-p'], { signal })).code !== 0;
}

/** Zig as a Python package: in our cache folder, or wherever python3 finds it. */
async function findZig(env, signal) {
  const cached = await tryZig(zigFile(env), env, signal);
  if (cached) return cached;
  const script = 'import os, ziglang; print(os.path.dirname(ziglang.__file__))';
  const { code, output } = await run('python3', ['-c', script], { env, signal });
  return code === 0 ? await tryZig(path.join(output.trim(), 'zig'), env, signal) : undefined;
}

async function tryZig(file, env, signal) {
  if (!existsSync(file)) return undefined;
  const { code, output } = await run(file, ['version'], { env, signal });
  if (code !== 0) return undefined;
  // Without a target zig compiles for this very processor; with one it starts from the baseline, as the others do.
  const command = [file, 'c++', '-target', zigTarget()];
  return { command, file, fileKey: statKey(file), version: `zig ${output.trim()}` };
}

function zigTarget() {
  const arch = { x64: 'x86_64', arm64: 'aarch64' }[process.arch] ?? process.arch;
  if (process.platform === 'darwin') return `${arch}-macos`;
  const isGlibc = process.report.getReport().header.glibcVersionRuntime !== undefined;
  return `${arch}-linux-${isGlibc ? 'gnu' : 'musl'}`;
}

async function mayInstallZig(env, ask, signal) {
  if (isOffline(env)) return false;
  if (env.LOCKSTEP_INSTALL_COMPILER !== undefined) return env.LOCKSTEP_INSTALL_COMPILER === 'zig';
  const question =
    'No C++ compiler was found. Fetch zig, which contains one, from PyPI (0.5 GB in your cache folder)? [y/N] ';
  const answer = await ask(question, signal);
  return /^y(es)?$/i.test(answer.trim());
}

/** The answer of a person; '' where there is no terminal to ask on. */
async function askOnTerminal(question, signal) {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return '';
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // readline swallows Ctrl-C; without this the question would stay open for ever.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return await terminal.question(question, { signal });
  } finally {
    terminal.close();
  }
}

async function installZig(env, signal, write) {
  const file = await setUpZig({ env, signal, write });
  const zig = await tryZig(file, env, signal);
  if (zig) return zig;
  throw new SetupError(`zig was installed (${file}) but does not run on this machine`, { hint: NO_COMPILER_HINT });
}
