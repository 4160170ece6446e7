import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { areDependenciesFresh } from './dependencies.mjs';

const A = { version: '1.0.0', integrity: 'sha512-a' };
const B = { version: '2.0.0', integrity: 'sha512-b', optional: true };
const WANTED = { '': { name: 'root' }, 'node_modules/a': A, 'node_modules/b': B };

let root;

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'lockstep-dependencies-'));
  mkdirSync(path.join(root, 'node_modules'));
  writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify({ packages: WANTED }));
});

afterEach(() => rmSync(root, { recursive: true }));

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
