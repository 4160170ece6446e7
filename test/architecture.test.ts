import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCycles, findViolations, listLoaded, MAY_IMPORT, readImports } from './architecture.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const LISTED = { core: ['zod'], worker: ['piscina', '@lockstep/core'], cli: ['commander'] };

function source(file: string, text: string) {
  return { file: `packages/${file}`, text };
}

describe('readImports', () => {
  it.each([
    ["import { a } from './a.js';", ['./a.js']],
    ["import type { A } from '@lockstep/core';", ['@lockstep/core']],
    ["import a, {\n  type B,\n  c as d,\n} from './a.js';", ['./a.js']],
    ["import * as all from 'zod';", ['zod']],
    ["import './side-effect.js';", ['./side-effect.js']],
    ["const a = await import('./lazy.js');", ['./lazy.js']],
    ["export * from './a.js';\nexport { b } from './b.js';", ['./a.js', './b.js']],
    ["// import { a } from './a.js';\n/* export * from './b.js'; */", []],
    ["const url = 'http://x'; import { a } from './a.js';", ['./a.js']],
    ["export const name = 'x';\nconst from = 'y';", []],
  ])('reads %j', (text, expected) => {
    expect(readImports(text)).toEqual(expected);
  });
});

describe('findViolations', () => {
  it.each([
    ['core', "import '@lockstep/kernels';", 'core may import none of our packages'],
    ['kernels', "import '@lockstep/core';", 'kernels may import none of our packages'],
    ['worker', "import '@lockstep/coordinator';", 'worker may import only core, kernels'],
    ['coordinator', "import '@lockstep/worker';", 'coordinator may import only core'],
    ['coordinator', "import 'lockstep';", 'coordinator may import only core'],
    ['worker', "import '@lockstep/core/dist/shards.js';", 'it reaches into another package; import its name'],
    ['worker', "import '../../core/src/shards.js';", 'it leaves packages/worker'],
    ['worker', "import './index.js';", 'index.ts is for other packages, not for its own'],
    ['core', "import './index-step.js';", 'index-step.ts is for other packages, not for its own'],
    ['worker', "import './reference/convolution.js';", 'it is there for tests only'],
    ['core', "import './dataset/test-data.js';", 'it is there for tests only'],
    ['core', "import 'node:worker_threads';", 'core has no threads, sockets or processes'],
    ['worker', "import 'ws';", 'packages/worker/package.json does not list it'],
  ])('in %s rejects %s', (name, text, reason) => {
    const found = findViolations([source(`${name}/src/a.ts`, text)], LISTED);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(reason);
  });

  it('accepts imports that point left, listed packages and Node modules', () => {
    const text =
      "import 'piscina'; import '@lockstep/core'; import '@lockstep/core/step'; import 'node:worker_threads'; import './b.js';";
    expect(findViolations([source('worker/src/a.ts', text), source('worker/src/b.ts', '')], LISTED)).toEqual([]);
  });

  it('lets a test import development packages and what is in test/, but no package to the right', () => {
    const text = "import 'vitest'; import '../../../test/fixture.js'; import '@lockstep/worker';";
    const found = findViolations([source('core/src/a.test.ts', text)], LISTED);
    expect(found).toEqual([
      'packages/core/src/a.test.ts imports @lockstep/worker: core may import none of our packages',
    ]);
  });
});

describe('findCycles', () => {
  it('names the files of a cycle in the order they import each other', () => {
    const sources = [
      source('core/src/a.ts', "import './deep/b.js';"),
      source('core/src/deep/b.ts', "import type { C } from '../c.js';"),
      source('core/src/c.ts', "import './a.js';"),
    ];
    expect(findCycles(sources)).toEqual([
      'import cycle: packages/core/src/a.ts -> packages/core/src/deep/b.ts -> packages/core/src/c.ts -> packages/core/src/a.ts',
    ]);
  });

  it('takes two ways to one file for what they are', () => {
    const sources = [
      source('core/src/a.ts', "import './b.js'; import './c.js';"),
      source('core/src/b.ts', "import './d.js';"),
      source('core/src/c.ts', "import './d.js';"),
      source('core/src/d.ts', ''),
    ];
    expect(findCycles(sources)).toEqual([]);
  });
});

describe('listLoaded', () => {
  it('follows imports across packages, but not types and not import()', () => {
    const sources: Record<string, string> = {
      'packages/cli/src/a.ts': "import { b } from './b.js';\nimport type { T } from 'types';\nawait import('later');",
      'packages/cli/src/b.ts': "import { s } from '@lockstep/core/step';\nimport fs from 'node:fs';\n",
      'packages/core/src/index-step.ts': "export * from './c.js';\nexport type * from './d.js';\n",
      'packages/core/src/c.ts': "import {\n  z,\n} from 'zod';\nexport const name = 'x';\n",
    };
    expect(listLoaded('packages/cli/src/a.ts', (file) => sources[file]!)).toEqual(['zod']);
  });
});

describe('this repository', () => {
  const packages = readdirSync(path.join(ROOT, 'packages')).sort();

  it('has the packages the rules know', () => {
    expect(packages).toEqual(Object.keys(MAY_IMPORT).sort());
  });

  it.each([
    ['worker/src/worker-thread.ts', []],
    ['cli/src/main.ts', ['commander']],
    ['cli/src/commands/train.ts', ['commander', 'zod']],
    ['cli/src/session.ts', ['piscina', 'zod']],
    ['cli/src/watchers.ts', ['zod']],
  ])('starts quickly: %s loads of npm only %j', (file, expected) => {
    const read = (name: string) => readFileSync(path.join(ROOT, name), 'utf8');
    expect(listLoaded(`packages/${file}`, read)).toEqual(expected);
  });

  it.each(packages)('keeps the rules in packages/%s', (name) => {
    const folder = `packages/${name}/src`;
    const files = readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .map((file) => file.replaceAll(path.sep, '/'))
      .filter((file) => file.endsWith('.ts'));
    const sources = files.map((file) => ({
      file: `${folder}/${file}`,
      text: readFileSync(path.join(ROOT, folder, file), 'utf8'),
    }));
    const { dependencies = {} } = JSON.parse(readFileSync(path.join(ROOT, 'packages', name, 'package.json'), 'utf8'));
    expect(files.length).toBeGreaterThan(0);
    expect(findViolations(sources, { [name]: Object.keys(dependencies) })).toEqual([]);
  });
});
