import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judgeHash, type PromisedHash, readPromises, recordPromises } from './promised-hashes.js';

const run: PromisedHash = {
  model: 'tiny6k',
  recipe: 'ours',
  seed: 1,
  steps: 60,
  data: 'ab'.repeat(32),
  parametersSha256: 'cd'.repeat(32),
};
let folder = '';
let file = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-promises-'));
  file = join(folder, 'promised.json');
  writeFileSync(file, '[]\n');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('promised hashes', () => {
  it('say of a run whether its hash is the recorded one', () => {
    recordPromises([run], file);
    const promises = readPromises(file);
    expect(judgeHash(promises, run)).toBe('same');
    expect(judgeHash(promises, { ...run, parametersSha256: 'ef'.repeat(32) })).toBe('other');
  });

  it.each([{ seed: 2 }, { steps: 61 }, { data: 'other' }, { recipe: 'author' }, { model: 'net19k' }])(
    'promise nothing about a run with %o',
    (change) => {
      recordPromises([run], file);
      expect(judgeHash(readPromises(file), { ...run, ...change })).toBe('new');
    },
  );

  it('are replaced by a later record of the same run, and keep those of others', () => {
    recordPromises([run, { ...run, seed: 2 }], file);
    recordPromises([{ ...run, parametersSha256: 'ef'.repeat(32) }], file);
    expect(readPromises(file).map(({ seed, parametersSha256 }) => [seed, parametersSha256.slice(0, 2)])).toEqual([
      [1, 'ef'],
      [2, 'cd'],
    ]);
  });

  it('are in the package for the first steps of every claim', () => {
    const claimed = new Set(readPromises().map(({ model, recipe, data }) => `${model} ${recipe} ${data.slice(0, 4)}`));
    expect(claimed.size).toBeGreaterThanOrEqual(14);
  });
});
