import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { areDependenciesFresh, installDependencies } from './dependencies.mjs';
import { buildTypeScript, isTypeScriptFresh } from './typescript.mjs';

const A = { version: '1.0.0', integrity: 'sha512-a' };
const B = { version: '2.0.0', integrity: 'sha512-b', optional: true };
const WANTED = { '': { name: 'root' }, 'node_modules/a': A, 'node_modules/b': B };

let root;

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'lockstep-dependencies-'));
  mkdirSync(path.join(root, 'node_modules'));
  writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify({ packages: WANTED }));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

function install(packages) {
  for (const name of Object.keys(packages)) {
    mkdirSync(path.join(root, name), { recursive: true });
    writeFileSync(path.join(root, name, 'package.json'), '{}');
  }
  writeFileSync(path.join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages }));
}

it('is stale when an install was cut short', () => {
  expect(areDependenciesFresh(root)).toBe(false);
});

it.each([
  ['everything is there', WANTED, true],
  ['an optional package of another platform is absent', { 'node_modules/a': A }, true],
  ['there is one more', { ...WANTED, 'node_modules/c': A }, true],
  ['a package is absent', { 'node_modules/b': B }, false],
  ['a version differs', { 'node_modules/a': { ...A, version: '1.0.1' } }, false],
  ['the contents differ', { 'node_modules/a': { ...A, integrity: 'sha512-x' } }, false],
])('when %s', (_, packages, expected) => {
  install(packages);
  expect(areDependenciesFresh(root)).toBe(expected);
});

it('is stale when the folder of a package was removed', () => {
  install(WANTED);
  rmSync(path.join(root, 'node_modules', 'a'), { recursive: true });
  expect(areDependenciesFresh(root)).toBe(false);
});

it.each(['{"packages": {', 'null', '{}'])('is stale when what npm notes of an install is %s', (text) => {
  install(WANTED);
  writeFileSync(path.join(root, 'node_modules', '.package-lock.json'), text);
  expect(areDependenciesFresh(root)).toBe(false);
});

it('names a lock file that is damaged', () => {
  install(WANTED);
  writeFileSync(path.join(root, 'package-lock.json'), '<<<<<<< ours');
  expect(() => areDependenciesFresh(root)).toThrow(/package-lock\.json cannot be read: /);
});

/** What only tests need. */
const C = { version: '3.0.0', integrity: 'sha512-c', dev: true };
const WITH_TESTS = { ...WANTED, 'node_modules/c': C };

it('is fresh for a training without the packages for tests, and for those with them alone', () => {
  writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify({ packages: WITH_TESTS }));
  install(WANTED);
  expect(areDependenciesFresh(root, { isForTests: false })).toBe(true);
  expect(areDependenciesFresh(root)).toBe(false);
  install(WITH_TESTS);
  expect(areDependenciesFresh(root, { isForTests: false })).toBe(true);
  expect(areDependenciesFresh(root)).toBe(true);
  install({ 'node_modules/b': B, 'node_modules/c': C });
  expect(areDependenciesFresh(root, { isForTests: false })).toBe(false);
});

/** A script in the place of a tool, which keeps its arguments. */
function addTool(name) {
  const file = path.join(root, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(
    file,
    `require('node:fs').writeFileSync(${JSON.stringify(`${file}.args`)}, process.argv.slice(2).join(' '))`,
  );
  return { file, args: () => readFileSync(`${file}.args`, 'utf8') };
}

it.each([
  ['nothing, for a training', undefined, false, '--omit=dev'],
  ['nothing, for tests', undefined, true, '--include=dev'],
  ['what a training needs, for tests', WANTED, true, '--include=dev'],
  ['what a training needs, for a training', WANTED, false, '--omit=dev'],
  ['packages for tests, which stay, for a training', WITH_TESTS, false, '--include=dev'],
])('installs where there was %s', async (_, installed, isForTests, expected) => {
  if (installed) install(installed);
  const npm = addTool('npm.js');
  vi.stubEnv('npm_execpath', npm.file);
  await installDependencies(root, { isForTests });
  expect(npm.args()).toMatch(new RegExp(`^ci --ignore-scripts .*${expected} --include=optional$`));
});

it.each([
  ['npm error code ENOTEMPTY', /^Another npm seems to be at work in node_modules/],
  ['npm error code ENOSPC', /^The disk is full/],
  ['npm error code EACCES', /belongs to another user/],
  ['npm error code ENOTFOUND', /^Check the network/],
])('says what to do after %s', async (output, hint) => {
  vi.stubEnv('LOCKSTEP_OFFLINE', undefined);
  const npm = addTool('npm.js');
  writeFileSync(npm.file, `console.error(${JSON.stringify(output)}); process.exitCode = 1;`);
  vi.stubEnv('npm_execpath', npm.file);
  await expect(installDependencies(root)).rejects.toMatchObject({
    message: 'npm ci ended with exit code 1',
    hint: expect.stringMatching(hint),
  });
});

it('what was built without a look at its types will do for a training, and is built again for tests', async () => {
  writeFileSync(path.join(root, 'package.json'), JSON.stringify({ workspaces: [] }));
  writeFileSync(path.join(root, 'tsconfig.json'), JSON.stringify({ files: [], references: [] }));
  const tsc = addTool('node_modules/typescript/bin/tsc');
  expect(isTypeScriptFresh(root, { isForTests: false })).toBe(false);
  await buildTypeScript(root, { isChecked: false });
  expect(tsc.args()).toBe('-b');
  expect([isTypeScriptFresh(root, { isForTests: false }), isTypeScriptFresh(root)]).toEqual([true, false]);
  await buildTypeScript(root);
  expect(tsc.args()).toBe('-b');
  expect([isTypeScriptFresh(root, { isForTests: false }), isTypeScriptFresh(root)]).toEqual([true, true]);
});
