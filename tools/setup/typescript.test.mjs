import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ROOT } from '../bootstrap.mjs';
import { buildTypeScript, isTypeScriptThere } from './typescript.mjs';

const FOLDER = { rootDir: 'src', outDir: 'dist', tsBuildInfoFile: 'dist/tsconfig.tsbuildinfo' };
const OPTIONS = { target: 'ES2022', module: 'NodeNext', composite: true, declaration: true, types: [] };

let root;

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'lockstep-typescript-'));
  mkdirSync(path.join(root, 'node_modules'));
  symlinkSync(path.join(ROOT, 'node_modules', 'typescript'), path.join(root, 'node_modules', 'typescript'), 'junction');
  symlinkSync(
    path.join(ROOT, 'node_modules', '@typescript'),
    path.join(root, 'node_modules', '@typescript'),
    'junction',
  );
  write('package.json', JSON.stringify({ workspaces: ['packages/one', 'packages/two'] }));
  write('package-lock.json', '{}');
  write('tsconfig.base.json', JSON.stringify({ compilerOptions: { ...OPTIONS, verbatimModuleSyntax: true } }));
  write(
    'tsconfig.json',
    JSON.stringify({ files: [], references: ['one', 'two'].map((n) => ({ path: `packages/${n}` })) }),
  );
  addPackage('one', []);
  addPackage('two', [{ path: '../one' }]);
  write(
    'packages/one/src/pair.ts',
    'export type Pair = readonly [number, number];\nexport const pair: Pair = [1, 2];\n',
  );
  write('packages/one/src/left/out.ts', 'export {};\n');
  write(
    'packages/two/src/sum.ts',
    "import { type Pair, pair } from '../../one/src/pair.js';\nexport const sum = ([a, b]: Pair = pair): number => a + b;\n",
  );
  write('packages/two/src/sum.test.ts', "import 'a package for tests';\n");
});

afterEach(() => rmSync(root, { recursive: true }));

function write(name, text) {
  const file = path.join(root, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function addPackage(name, references) {
  const config = {
    extends: '../../tsconfig.base.json',
    compilerOptions: FOLDER,
    include: ['src'],
    exclude: ['src/left'],
  };
  write(`packages/${name}/package.json`, JSON.stringify({ type: 'module' }));
  write(`packages/${name}/tsconfig.json`, JSON.stringify({ ...config, references }));
}

const built = (name) => readdirSync(path.join(root, 'packages', name, 'dist'), { recursive: true }).sort();
const readSum = () => readFileSync(path.join(root, 'packages/two/dist/sum.js'), 'utf8');

it('for a training makes JavaScript alone, without the tests and what they need; for tests the rest of it, and the same JavaScript', async () => {
  await buildTypeScript(root, { isChecked: false });
  expect([built('one'), built('two')]).toEqual([
    ['pair.js', 'tsconfig.tsbuildinfo'],
    ['sum.js', 'tsconfig.tsbuildinfo'],
  ]);
  expect(isTypeScriptThere(root)).toBe(true);
  const quick = readSum();
  write('packages/two/src/sum.test.ts', '');
  await buildTypeScript(root);
  expect([built('one'), built('two')]).toEqual([
    ['pair.d.ts', 'pair.js', 'tsconfig.tsbuildinfo'],
    ['sum.d.ts', 'sum.js', 'sum.test.d.ts', 'sum.test.js', 'tsconfig.tsbuildinfo'],
  ]);
  expect(readSum()).toBe(quick);
});

it('for a training takes what was changed after tests were run', async () => {
  write('packages/two/src/sum.test.ts', '');
  await buildTypeScript(root);
  write('packages/two/src/sum.ts', 'export const sum = 3;\n');
  await buildTypeScript(root, { isChecked: false });
  expect(readSum()).toBe('export const sum = 3;\n');
});

it('does not look at types for a training, and for tests says what is wrong with them', async () => {
  write('packages/one/src/pair.ts', "export const pair: number = 'two';\n");
  write('packages/two/src/sum.test.ts', '');
  await buildTypeScript(root, { isChecked: false });
  await expect(buildTypeScript(root)).rejects.toMatchObject({ output: expect.stringContaining('TS2322') });
});
