import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { setUpZig, zigEnvironment, zigFile } from './zig.mjs';

let folder;
let env;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'lockstep-zig-'));
  env = { PATH: folder, HOME: folder, LOCKSTEP_CACHE: path.join(folder, 'cache') };
});

afterEach(() => rmSync(folder, { recursive: true }));

const quietly = () => {};
const asked = () => readFileSync(path.join(folder, 'asked'), 'utf8');

/** A python3 that notes what it was asked for and then does as `script` says. */
function addPython(script) {
  const file = path.join(folder, 'python3');
  writeFileSync(file, `#!/bin/sh\necho "$@" >> ${folder}/asked\n${script}\n`);
  chmodSync(file, 0o755);
}

const INSTALLS = `while [ "$1" != --target ]; do shift; done
/bin/mkdir -p "$2/ziglang"; echo zig > "$2/ziglang/zig"`;

it('has pip compare the wheel with a hash, and fetches it once', async () => {
  addPython(INSTALLS);
  const file = await setUpZig({ env, write: quietly });
  expect(await setUpZig({ env, write: quietly })).toBe(file);
  expect(file).toBe(zigFile(env));
  const lines = asked().trim().split('\n');
  expect(lines).toHaveLength(1);
  const requirements = lines[0].split(' ').at(-1);
  expect(lines[0]).toContain('--require-hashes');
  expect(readFileSync(requirements, 'utf8').match(/--hash=sha256:[0-9a-f]{64}/g)).toHaveLength(6);
});

it('leaves nothing behind that looks like zig when pip fails, and shows what pip said', async () => {
  addPython(`${INSTALLS}\necho "hashes do not match"; exit 1`);
  const failing = setUpZig({ env, write: quietly });
  await expect(failing).rejects.toMatchObject({ output: 'hashes do not match\n' });
  addPython('echo again; exit 1');
  await expect(setUpZig({ env, write: quietly })).rejects.toMatchObject({ output: 'again\n' });
});

it('names what it would have to download under LOCKSTEP_OFFLINE, and asks nobody', async () => {
  addPython(INSTALLS);
  await expect(setUpZig({ env: { ...env, LOCKSTEP_OFFLINE: '1' }, write: quietly })).rejects.toThrow(
    /^ziglang==[\d.]+ has to be downloaded, and LOCKSTEP_OFFLINE is set$/,
  );
  expect(asked).toThrow('ENOENT');
});

it("keeps zig's cache in ours, unless the user says where", () => {
  expect(zigEnvironment(env)).toMatchObject({ ZIG_GLOBAL_CACHE_DIR: path.join(folder, 'cache', 'zig-cache') });
  expect(zigEnvironment({ ...env, ZIG_GLOBAL_CACHE_DIR: '/mine' })).toMatchObject({ ZIG_GLOBAL_CACHE_DIR: '/mine' });
});
