import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { drawRooms, findHeaps, MOST_SOURCES, ORDER, putRooms, readImports, readSources } from '../../tools/rooms.mjs';
import { findCycles, findFolderCycles, findUnplaced, findViolations, listLoaded, MAY_IMPORT } from './architecture.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
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
    ['core/src/run/a.ts', "import '@lockstep/kernels';", 'core may import none of our packages'],
    ['kernels/src/load.ts', "import '@lockstep/core/run';", 'kernels may import none of our packages'],
    ['worker/src/node/a.ts', "import '@lockstep/coordinator/run';", 'worker may import only core, kernels'],
    ['coordinator/src/run/a.ts', "import '@lockstep/worker';", 'coordinator may import only core'],
    ['watch/src/page/a.ts', "import '@lockstep/coordinator/run';", 'watch may import only core'],
    ['watch/src/page/a.ts', "import 'lockstep';", 'watch may import only core'],
    ['worker/src/node/a.ts', "import '@lockstep/core/dist/run/shards.js';", 'it reaches into another package'],
    ['worker/src/node/a.ts', "import '../../../core/src/run/shards.js';", 'it leaves packages/worker'],
    ['worker/src/node/a.ts', "import '../threads/index.js';", 'an index.ts is for other packages, not for its own'],
    ['worker/src/node/a.ts', "import '../reference/convolution.js';", 'it is there for tests only'],
    ['core/src/data/a.ts', "import './test-data.js';", 'it is there for tests only'],
    ['core/src/math/a.ts', "import '../run/shards.js';", 'core/run stands behind core/math'],
    [
      'cli/src/api/a.ts',
      "import '../lab/bench/runs.js';",
      'only cli/commands and cli/sprint-process may import cli/lab',
    ],
    ['core/src/heap/a.ts', "import '../run/shards.js';", 'core/heap has no place in tools/rooms.mjs'],
    ['core/src/wire/a.ts', "import 'node:worker_threads';", 'core has no threads, sockets or processes'],
    ['worker/src/connection/a.ts', "import 'ws';", 'packages/worker/package.json does not list it'],
  ])('in %s rejects %s', (file, text, reason) => {
    const found = findViolations([source(file, text)], LISTED);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(reason);
  });

  it('accepts imports that point left, listed packages and Node modules', () => {
    const text =
      "import 'piscina'; import '@lockstep/core'; import '@lockstep/core/data/pictures'; import 'node:worker_threads'; import './b.js';";
    expect(findViolations([source('worker/src/node/a.ts', text), source('worker/src/node/b.ts', '')], LISTED)).toEqual(
      [],
    );
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

describe('findFolderCycles', () => {
  it('names the folders of a room whose files import each other, though no two files do', () => {
    const sources = [
      source('core/src/data/a.ts', "import './deep/b.js';"),
      source('core/src/data/deep/b.ts', "import '../c.js';"),
      source('core/src/data/c.ts', ''),
    ];
    expect(findFolderCycles(sources)).toEqual([
      'circle of folders: packages/core/src/data -> packages/core/src/data/deep -> packages/core/src/data',
    ]);
  });
});

describe('findHeaps', () => {
  const fill = (count: number) => Array.from({ length: count }, (_, i) => source(`core/src/run/a${i}.ts`, ''));

  it('names a folder with more sources than one can hold in mind; tests and an index do not count', () => {
    const others = [source('core/src/run/a.test.ts', ''), source('core/src/run/index.ts', '')];
    expect(findHeaps([...fill(MOST_SOURCES), ...others])).toEqual([]);
    expect(findHeaps([...fill(MOST_SOURCES + 1), ...others])).toEqual(['packages/core/src/run has 19 sources']);
  });

  it('counts what lies in a folder below for that folder', () => {
    expect(findHeaps([...fill(MOST_SOURCES), source('core/src/run/deep/b.ts', '')])).toEqual([]);
  });
});

describe('listLoaded', () => {
  it('follows imports across packages, but not types and not import()', () => {
    const sources: Record<string, string> = {
      'packages/cli/src/a.ts': "import { b } from './b.js';\nimport type { T } from 'types';\nawait import('later');",
      'packages/cli/src/b.ts': "import { s } from '@lockstep/core/run';\nimport fs from 'node:fs';\n",
      'packages/core/src/run/index.ts': "export * from './c.js';\nexport type * from './d.js';\n",
      'packages/core/src/run/c.ts': "import {\n  z,\n} from 'zod';\nexport const name = 'x';\n",
    };
    expect(listLoaded('packages/cli/src/a.ts', (file) => sources[file]!)).toEqual(['zod']);
  });
});

describe('this repository', () => {
  const packages = readdirSync(path.join(ROOT, 'packages')).sort();
  const sources = readSources();

  it('has the packages the rules know', () => {
    expect(packages).toEqual(Object.keys(MAY_IMPORT).sort());
  });

  it.each([
    ['worker/src/threads/worker-thread.ts', []],
    ['cli/src/main.ts', ['commander']],
    ['cli/src/commands/train.ts', ['commander', 'zod']],
    ['cli/src/api/session.ts', ['piscina', 'zod']],
    ['cli/src/watching/watchers.ts', ['zod']],
  ])('starts quickly: %s loads of npm only %j', (file, expected) => {
    const read = (name: string) => readFileSync(path.join(ROOT, name), 'utf8');
    expect(listLoaded(`packages/${file}`, read)).toEqual(expected);
  });

  it.each(packages)('keeps the rules in packages/%s', (name) => {
    const own = sources.filter(({ file }) => file.startsWith(`packages/${name}/`));
    const { dependencies = {} } = JSON.parse(readFileSync(path.join(ROOT, 'packages', name, 'package.json'), 'utf8'));
    expect(own.length).toBeGreaterThan(0);
    expect(findViolations(own, { [name]: Object.keys(dependencies) })).toEqual([]);
  });

  it('issue 22: has no folder of more than eighteen sources', () => {
    expect(findHeaps(sources)).toEqual([]);
  });

  it('has a place for every room, and a room in every place', () => {
    expect(findUnplaced(sources)).toEqual([]);
  });

  it('is drawn in ARCHITECTURE.md as it is: node tools/rooms.mjs draws it', () => {
    const document = readFileSync(path.join(ROOT, 'ARCHITECTURE.md'), 'utf8');
    expect(document).toBe(putRooms(document, drawRooms(sources, ORDER)));
  });
});
