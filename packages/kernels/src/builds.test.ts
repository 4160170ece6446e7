import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeNoBuild, findBuild, hasSources, inClone, platformName } from './builds.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-builds-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function addBuild(place: string, isa: string): string {
  const file = path.join(folder, place, `lockstep-${isa}.node`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, '');
  return file;
}

it('takes what was compiled here before what the package brings', () => {
  const prebuilt = addBuild('prebuilds/linux-x64-musl', 'avx2');
  expect(findBuild('avx2', folder, 'linux-x64-musl')).toBe(prebuilt);
  const own = addBuild('build', 'avx2');
  expect(findBuild('avx2', folder, 'linux-x64-musl')).toBe(own);
});

it('takes nothing of another platform, and says where it looked', () => {
  addBuild('prebuilds/linux-x64-glibc', 'avx2');
  expect(findBuild('avx2', folder, 'linux-x64-musl')).toBeUndefined();
  expect(findBuild('avx512', folder, 'linux-x64-glibc')).toBeUndefined();
  expect(describeNoBuild(folder, 'freebsd-x64')).toBe(
    `there is no build of the kernels for freebsd-x64 (looked in ${path.join(folder, 'build')} and ${path.join(folder, 'prebuilds', 'freebsd-x64')}): in a clone npm run build makes one; --kernels wasm runs everywhere`,
  );
});

it('knows a clone by its sources', () => {
  expect(hasSources()).toBe(true);
  expect(hasSources(folder)).toBe(false);
  expect(inClone('npm run build')).toBe('npm run build');
  expect(inClone('npm run build', false)).toBe("npm run build in a clone of Lockstep's repository");
});

const ALPINE = '7f8e1c000000-7f8e1c0a0000 r-xp 00000000 fe:01 1311 /lib/ld-musl-x86_64.so.1\n';
const VOID = ALPINE.replace('/lib/ld-musl-x86_64.so.1', '/usr/lib/libc.so');
const DEBIAN = '7f0a2c000000-7f0a2c1d0000 r-xp 00000000 fe:01 1045 /usr/lib/x86_64-linux-gnu/libc.so.6\n';

it.each<[NodeJS.Platform, string, string, string]>([
  ['linux', 'x64', DEBIAN, 'linux-x64-glibc'],
  ['linux', 'x64', ALPINE, 'linux-x64-musl'],
  ['linux', 'x64', VOID, 'linux-x64-musl'],
  ['linux', 'arm64', ALPINE.replace('x86_64', 'aarch64'), 'linux-arm64-musl'],
  ['linux', 'arm64', '', 'linux-arm64-glibc'],
  ['win32', 'x64', ALPINE, 'win32-x64'],
  ['darwin', 'arm64', '', 'darwin-arm64'],
])('on %s %s with %j the platform is %s', (platform, arch, maps, name) => {
  expect(platformName(platform, arch as NodeJS.Architecture, () => maps)).toBe(name);
});
