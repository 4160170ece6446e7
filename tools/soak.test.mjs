import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listDrawing, readSoak, seedOf } from './soak.mjs';

let root;

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'lockstep-soak-'));
  for (const folder of ['test', 'tools', 'packages/core/src']) mkdirSync(path.join(root, folder), { recursive: true });
});

afterEach(() => rmSync(root, { recursive: true }));

const write = (file, text) => writeFileSync(path.join(root, file), text);

describe('what a soak repeats', () => {
  it('is each test that imports fast-check, or a helper that does, the slow ones too', () => {
    write('packages/core/src/a.test.ts', "import fc from 'fast-check';");
    write('packages/core/src/b.slow.test.ts', "import { draw } from './test-draws.js';");
    write('packages/core/src/test-draws.ts', "import { more } from './test-more.js';");
    write('packages/core/src/test-more.ts', "import { draw } from './test-draws.js';\nimport fc from 'fast-check';");
    write('packages/core/src/c.test.ts', "import { c } from './c.js';\n// import fc from 'fast-check';");
    write('packages/core/src/c.ts', 'export const c = 1;');
    write('test/d.test.mjs', "import { seedOr } from '../support/seed.ts';");
    const folders = ['packages/core', '.'];
    expect(listDrawing(root, folders)).toEqual([
      ['packages/core', ['src/a.test.ts', 'src/b.slow.test.ts']],
      ['.', ['test/d.test.mjs']],
    ]);
    expect(listDrawing(root, folders, ['core/src/a', 'nothing'])).toEqual([['packages/core', ['src/a.test.ts']]]);
    expect(listDrawing(root, folders, ['nothing'])).toEqual([]);
  });

  it('has the random models, programs and round trips of this repository in it', () => {
    const own = path.resolve(import.meta.dirname, '..');
    const files = listDrawing(own, ['packages/worker', '.']).flatMap(([, some]) => some);
    expect(files).toEqual(
      expect.arrayContaining([
        'src/native-engine/random-programs.slow.test.ts',
        'test/random-programs/random-programs.slow.test.mjs',
        'test/one-process/round-trip.slow.test.ts',
        'test/nodes/cluster-chaos.slow.test.ts',
      ]),
    );
  });
});

describe('the rounds of a soak', () => {
  it('are as many as LOCKSTEP_SOAK says, with seeds that follow LOCKSTEP_SEED', () => {
    const plan = readSoak({ LOCKSTEP_SOAK: '3', LOCKSTEP_SEED: '2147483647' });
    expect(plan).toEqual({ rounds: 3, firstSeed: 2147483647 });
    expect([0, 1, 2].map((round) => seedOf(plan, round))).toEqual([2147483647, 0, 1]);
  });

  it('begin at another seed each time without one', () => {
    const { rounds, firstSeed } = readSoak({});
    expect(rounds).toBe(100);
    expect(Number.isInteger(firstSeed) && firstSeed >= 0 && firstSeed < 2 ** 31).toBe(true);
  });

  it.each([
    [{ LOCKSTEP_SOAK: '0' }, 'LOCKSTEP_SOAK 0: must be a whole number from 1'],
    [{ LOCKSTEP_SOAK: 'x' }, 'LOCKSTEP_SOAK x: must be a whole number from 1'],
    [{ LOCKSTEP_SEED: '-1' }, 'LOCKSTEP_SEED -1: must be a whole number from 0 to 2147483647'],
    [{ LOCKSTEP_SEED: '2147483648' }, 'LOCKSTEP_SEED 2147483648: must be a whole number from 0 to 2147483647'],
  ])('are refused for %j', (env, text) => expect(readSoak(env)).toBe(text));
});
