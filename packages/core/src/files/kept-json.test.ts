import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { readKeptJson } from './kept-json.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-kept-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const schema = z.object({ name: z.string(), count: z.object({ train: z.int() }) });

function read(path: string) {
  const told: string[] = [];
  return { value: readKeptJson(path, schema, (fault) => told.push(fault)), told };
}

function readText(text: string) {
  const path = join(folder, 'kept.json');
  writeFileSync(path, text);
  return read(path);
}

it('gives what this version wrote, and says nothing of what is not there', () => {
  const value = { name: 'a', count: { train: 3 } };
  expect(readText(JSON.stringify(value))).toEqual({ value, told: [] });
  expect(read(join(folder, 'none.json'))).toEqual({ value: undefined, told: [] });
  expect(read(join(folder, 'kept.json', 'below-a-file.json'))).toEqual({ value: undefined, told: [] });
});

it.each([
  ['{"name": "a", ', 'is damaged (line 1, column 15: expected a name in double quotes but found the end of the file)'],
  ['{"name": 3}', 'was written by another version of lockstep, or damaged (name)'],
  ['{"name": "a", "count": {}}', 'was written by another version of lockstep, or damaged (count.train)'],
  ['null', 'was written by another version of lockstep, or damaged'],
])('of %s says what is wrong, in a few words', (text, fault) => {
  expect(readText(text)).toEqual({ value: undefined, told: [fault] });
});

it('says that it cannot be read', () => {
  mkdirSync(join(folder, 'folder.json'));
  expect(read(join(folder, 'folder.json'))).toEqual({ value: undefined, told: ['cannot be read (EISDIR)'] });
});

it('gives a value, or tells one line: never both, never neither, never an exception', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.jsonValue().map((value) => JSON.stringify({ name: value })),
      ),
      (text) => {
        const { value, told } = readText(text);
        expect(told).toHaveLength(value === undefined ? 1 : 0);
        expect(told.join()).not.toMatch(/[\n{]/);
      },
    ),
  );
});
