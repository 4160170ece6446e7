import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findCompiler, isSameCompiler } from './compiler.mjs';

let folder;
let env;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'lockstep-compiler-'));
  // Only what the test puts there is on this PATH; the cache keeps it from a zig of the user's.
  env = { PATH: folder, HOME: folder, LOCKSTEP_CACHE: path.join(folder, 'cache') };
  symlinkSync('/bin/sh', path.join(folder, 'sh'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function addCommand(name, script) {
  const file = path.join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

const neverAsk = () => Promise.resolve('');

it('prefers c++ to g++ and clang++', async () => {
  for (const name of ['clang++', 'g++', 'c++']) addCommand(name, `echo "${name} 14"`);
  const compiler = await findCompiler({ env });
  expect(compiler).toMatchObject({ command: ['c++'], file: path.join(folder, 'c++'), version: 'c++ 14' });
});

it('passes over a compiler that cannot be run', async () => {
  addCommand('c++', 'exit 1');
  addCommand('clang++', 'echo clang');
  expect((await findCompiler({ env })).command).toEqual(['clang++']);
});

it('takes CXX with its arguments before any other', async () => {
  addCommand('c++', 'echo c++');
  addCommand('ccache', 'echo "ccache of $1"');
  const compiler = await findCompiler({ env: { ...env, CXX: 'ccache my-g++' } });
  expect(compiler).toMatchObject({ command: ['ccache', 'my-g++'], version: 'ccache of my-g++' });
});

it('does not fall back when CXX cannot be run', async () => {
  addCommand('c++', 'echo c++');
  await expect(findCompiler({ env: { ...env, CXX: 'no-such-compiler' } })).rejects.toThrow(
    'CXX is "no-such-compiler", which cannot be run',
  );
});

it('says which package to install when there is none and nobody wants zig', async () => {
  await expect(findCompiler({ env, ask: neverAsk })).rejects.toMatchObject({
    message: 'no C++ compiler was found (looked for $CXX, c++, g++, clang++ and zig)',
    hint: expect.stringMatching(/apt-get install g\+\+[\s\S]*dnf install gcc-c\+\+[\s\S]*xcode-select --install/),
  });
});

it('shows what pip said when zig cannot be installed', async () => {
  addCommand('python3', 'echo "No module named pip"; exit 1');
  const failing = findCompiler({ env: { ...env, LOCKSTEP_INSTALL_COMPILER: 'zig' }, ask: neverAsk, write: () => {} });
  await expect(failing).rejects.toMatchObject({
    message: expect.stringContaining('python3 -m pip could not install ziglang'),
    output: 'No module named pip\n',
  });
});

it('installs zig into the cache folder when asked to, and uses it by its baseline target', async () => {
  addCommand(
    'python3',
    `case "$*" in *pip*) ;; *) exit 1;; esac
while [ "$1" != --target ]; do shift; done
/bin/mkdir -p "$2/ziglang"; printf '#!/bin/sh\\necho 0.17.1\\n' > "$2/ziglang/zig"; /bin/chmod +x "$2/ziglang/zig"`,
  );
  const compiler = await findCompiler({ env, ask: () => Promise.resolve('y'), write: () => {} });
  const zig = path.join(folder, 'cache', 'zig-0.17.1', 'ziglang', 'zig');
  expect(compiler).toMatchObject({ file: zig, version: 'zig 0.17.1' });
  expect(compiler.command.slice(0, 3)).toEqual([zig, 'c++', '-target']);
});

it('takes a compiler that is gone for the same one, and one that was replaced for another', async () => {
  const file = addCommand('c++', 'echo 1');
  const compiler = await findCompiler({ env });
  expect(isSameCompiler(compiler)).toBe(true);
  addCommand('c++', 'echo a newer one');
  expect(isSameCompiler(compiler)).toBe(false);
  rmSync(file);
  expect(isSameCompiler(compiler)).toBe(true);
});

it('cases: work 32: neither offers nor fetches zig under LOCKSTEP_OFFLINE', async () => {
  const offline = { ...env, LOCKSTEP_OFFLINE: '1', LOCKSTEP_INSTALL_COMPILER: 'zig' };
  addCommand('python3', `echo "$@" >> ${path.join(folder, 'asked')}; exit 1`);
  const ask = () => Promise.reject(new Error('asked'));
  await expect(findCompiler({ env: offline, ask })).rejects.toThrow('no C++ compiler was found');
  expect(readFileSync(path.join(folder, 'asked'), 'utf8')).not.toContain('pip');
});
